package client

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/stun/v3"
)

// The test vectors of RFC 5769, sections 2.1 to 2.4. The first three are signed
// with a short-term password, which TURN does not use; their fingerprints and
// addresses are read all the same. Their padding is not zero.
const (
	vectorRequest = `000100582112a442b7e7a701bc34d686fa87dfae
		802200105354554e207465737420636c69656e74 002400046e0001ff 80290008932ff9b151263b36
		00060009657674 6a3a68367659202020 000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
		80280004e57a3bcf`
	vectorIPv4 = `0101003c2112a442b7e7a701bc34d686fa87dfae
		8022000b7465737420766563746f7220 002000080001a147e112a643
		000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96`
	vectorIPv6 = `010100482112a442b7e7a701bc34d686fa87dfae
		8022000b7465737420766563746f7220 002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9
		00080014a382954e4be67bf11784c97c8292c275bfe3ed41 80280004c8fb0b4c`
	vectorLongTerm = `000100602112a44278ad3433c6ad72c029da412e
		00060012e3839ee38388e383aae38383e382afe382b90000
		0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341
		0014000b6578616d706c652e6f726700 00080014f67024656dd64a3e02b8e0712e85c9a28ca89666`
)

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parsed(t *testing.T, datagram []byte) *message {
	t.Helper()
	m := new(message)
	ok, badFingerprint := m.parse(datagram, make([]stun.RawAttribute, 0, 16))
	if !ok || badFingerprint {
		t.Fatalf("a vector is not a message: %v, bad fingerprint %v", ok, badFingerprint)
	}
	return m
}

func TestA14VectorsOfRFC5769(t *testing.T) {
	parsed(t, unhex(t, vectorRequest))
	for vector, want := range map[string]string{
		vectorIPv4: "192.0.2.1:32853",
		vectorIPv6: "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
	} {
		m := parsed(t, unhex(t, vector))
		if got, ok := getXorAddress(&m.Message, stun.AttrXORMappedAddress); !ok || got != netip.MustParseAddrPort(want) {
			t.Errorf("the mapped address is %v, want %s", got, want)
		}
	}
	m := parsed(t, unhex(t, vectorLongTerm))
	cr := newCredential([]byte("\u30de\u30c8\u30ea\u30c3\u30af\u30b9"), []byte("TheMatrIX"), []byte("example.org"))
	if !m.signedBy(cr) {
		t.Error("the long-term vector does not verify")
	}
	if m.signedBy(newCredential([]byte("another"), []byte("TheMatrIX"), []byte("example.org"))) {
		t.Error("the long-term vector verifies with another key")
	}
}

func TestA12FingerprintOfTheVectorsIsChecked(t *testing.T) {
	for _, vector := range []string{vectorRequest, vectorIPv4, vectorIPv6} {
		b := unhex(t, vector)
		b[30] ^= 1 // in SOFTWARE
		if ok, bad := new(message).parse(b, nil); ok || !bad {
			t.Errorf("a changed byte passes: ok %v, bad fingerprint %v", ok, bad)
		}
	}
}

func TestA14LongTermKey(t *testing.T) {
	const want = "8493fbc53ba582fb4c044c456bdc40eb" // RFC 8489 section 9.2.2
	if key := longTermKey([]byte("user"), []byte("realm"), []byte("pass")); hex.EncodeToString(key[:]) != want {
		t.Errorf("the key of user, realm, pass is %x", key)
	}
}

func TestA01RealmOfTheKey(t *testing.T) {
	want := newCredential([]byte("u"), []byte("p"), []byte("r")).key
	for _, realm := range []string{`"r"`, "r\x00", "\"r\"\x00\x00"} {
		if got := newCredential([]byte("u"), []byte("p"), []byte(realm)).key; got != want {
			t.Errorf("the realm %q gives another key", realm)
		}
	}
	for _, realm := range []string{`"r`, `r"`, `"`, ""} {
		if got := newCredential([]byte("u"), []byte("p"), []byte(realm)).key; got == want {
			t.Errorf("the realm %q gives the key of r", realm)
		}
	}
}
