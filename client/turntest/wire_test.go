package turntest

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The test vectors of RFC 5769, sections 2.1 to 2.4.
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
	vectorPassword = "VOkJxbRl1RmTxUk/WvJxBt"
	vectorUser     = "\u30de\u30c8\u30ea\u30c3\u30af\u30b9"
)

func vector(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantDecoded(t *testing.T, datagram []byte) *Message {
	t.Helper()
	m, err := Decode(datagram)
	if err != nil {
		t.Fatalf("a well-formed message decodes: %v", err)
	}
	return m
}

func TestVectorsOfRFC5769(t *testing.T) {
	longTerm := LongTermKey(vectorUser, "example.org", "TheMatrIX")
	for _, tt := range []struct {
		name, vector string
		key          []byte
		mapped       string
	}{
		{"2.1 request", vectorRequest, []byte(vectorPassword), ""},
		{"2.2 IPv4 response", vectorIPv4, []byte(vectorPassword), "192.0.2.1:32853"},
		{"2.3 IPv6 response", vectorIPv6, []byte(vectorPassword), "[2001:db8:1234:5678:11:2233:4455:6677]:32853"},
		{"2.4 long-term request", vectorLongTerm, longTerm, ""},
	} {
		m := wantDecoded(t, vector(t, tt.vector))
		if !m.Verify(tt.key) {
			t.Errorf("%s: the integrity verifies", tt.name)
		}
		if m.Verify([]byte("another key")) {
			t.Errorf("%s: another key does not verify", tt.name)
		}
		if !m.FingerprintRight() {
			t.Errorf("%s: the fingerprint is right", tt.name)
		}
		if tt.mapped == "" {
			continue
		}
		if got, _ := m.Address(AttrXORMappedAddress); got.String() != tt.mapped {
			t.Errorf("%s: mapped address is %s, want %s", tt.name, got, tt.mapped)
		}
	}
}

func TestLongTermKeyOfRFC8489(t *testing.T) {
	if got := hex.EncodeToString(LongTermKey("user", "realm", "pass")); got != "8493fbc53ba582fb4c044c456bdc40eb" {
		t.Errorf("the key of user, realm, pass is %s", got)
	}
}

// The builder gives the vector's own bytes, so both directions are proven.
func TestBuildVector(t *testing.T) {
	want := vector(t, vectorLongTerm)
	var id TransactionID
	copy(id[:], want[8:])
	got := Build(MethodBinding, Request, id).Text(AttrUsername, vectorUser).
		Text(AttrNonce, "f//499k954d6OL34oL9FSTvy64sA").Text(AttrRealm, "example.org").
		Integrity(LongTermKey(vectorUser, "example.org", "TheMatrIX")).Datagram()
	if !bytes.Equal(got, want) {
		t.Errorf("built\n%x, the vector is\n%x", got, want)
	}
}

func TestAddressesRoundTrip(t *testing.T) {
	id := TransactionID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for _, text := range []string{"192.0.2.1:49152", "[2001:db8::7]:3478"} {
		want := netip.MustParseAddrPort(text)
		m := wantDecoded(t, Build(MethodAllocate, Success, id).
			Address(AttrXORRelayedAddress, want).Address(AttrMappedAddress, want).Datagram())
		for _, a := range []AttributeType{AttrXORRelayedAddress, AttrMappedAddress} {
			if got, ok := m.Address(a); !ok || got != want {
				t.Errorf("%v: %v became %v", a, want, got)
			}
		}
	}
}

func TestAttributesBehindIntegrityAreNotThere(t *testing.T) {
	key := LongTermKey("u", "r", "p")
	m := wantDecoded(t, Build(MethodRefresh, Success, TransactionID{}).Integrity(key).
		Lifetime(time.Hour).Fingerprint().Datagram())
	if m.Has(AttrLifetime) {
		t.Error("an attribute behind MESSAGE-INTEGRITY is read")
	}
	if !m.Has(AttrFingerprint) || !m.FingerprintRight() {
		t.Error("FINGERPRINT behind MESSAGE-INTEGRITY is not read")
	}
	if !m.Verify(key) {
		t.Error("what was appended breaks the integrity")
	}
}

func TestIntegrityCoversEveryByte(t *testing.T) {
	key := LongTermKey("u", "r", "p")
	datagram := Build(MethodRefresh, Request, TransactionID{9}).Lifetime(0).Text(AttrUsername, "u").Integrity(key).Datagram()
	for i := range datagram {
		changed := bytes.Clone(datagram)
		changed[i] ^= 1
		if m, err := Decode(changed); err == nil && m.Verify(key) {
			t.Errorf("byte %d changed and the integrity still verifies", i)
		}
	}
}

func TestDecodeRefusesBrokenMessages(t *testing.T) {
	good := Build(MethodAllocate, Request, TransactionID{}).Transport(17).Datagram()
	for name, breakIt := range map[string]func(b []byte) []byte{
		"empty":             func([]byte) []byte { return nil },
		"short header":      func(b []byte) []byte { return b[:19] },
		"cookie":            func(b []byte) []byte { b[4] = 0; return b },
		"length too long":   func(b []byte) []byte { b[3] += 4; return b },
		"length not by 4":   func(b []byte) []byte { b[3]++; return append(b, 0) },
		"attribute too big": func(b []byte) []byte { b[23] = 5; return b },
		"attribute cut":     func(b []byte) []byte { b[3] = 4; b[23] = 4; return b[:24] },
	} {
		if _, err := Decode(breakIt(bytes.Clone(good))); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}

func TestEveryMethodAndClassKeepsItsBits(t *testing.T) {
	for method := Method(0); method < 0x1000; method++ {
		for class := Request; class <= Failure; class++ {
			v := joinType(method, class)
			if m, c := splitType(v); m != method || c != class || v > 0x3FFF {
				t.Fatalf("%v %v became %v %v (0x%04x)", method, class, m, c, v)
			}
		}
	}
}

func TestDescribe(t *testing.T) {
	key := LongTermKey("alice", "example.org", "secret")
	peer := netip.MustParseAddrPort("192.0.2.9:4000")
	request := Build(MethodAllocate, Request, TransactionID{}).Text(AttrUsername, "alice").
		Text(AttrRealm, "example.org").Text(AttrNonce, "n1").Transport(17).Integrity(key).Datagram()
	for _, tt := range []struct {
		datagram []byte
		key      []byte
		want     string
	}{
		{request, key, "Allocate request USERNAME=alice REALM=example.org NONCE=n1 REQUESTED-TRANSPORT=UDP integrity=ok"},
		{request, []byte("x"), "Allocate request USERNAME=alice REALM=example.org NONCE=n1 REQUESTED-TRANSPORT=UDP integrity=WRONG"},
		{request, nil, "Allocate request USERNAME=alice REALM=example.org NONCE=n1 REQUESTED-TRANSPORT=UDP integrity=present"},
		{Build(MethodRefresh, Request, TransactionID{}).Lifetime(0).Fingerprint().Datagram(), nil,
			"Refresh request LIFETIME=0s fingerprint=ok"},
		{Build(MethodAllocate, Failure, TransactionID{}).Error(437, "Allocation Mismatch").Datagram(), nil,
			`Allocate error ERROR-CODE=437:"Allocation Mismatch"`},
		{Build(MethodSend, Indication, TransactionID{}).Address(AttrXORPeerAddress, peer).
			Text(AttrData, "hello").Bytes(AttrDontFragment, nil).Datagram(), nil,
			`Send indication XOR-PEER-ADDRESS=192.0.2.9:4000 DATA="hello" DONT-FRAGMENT`},
		{Build(MethodData, Indication, TransactionID{}).ICMP(3, 1, [4]byte{0, 0, 5, 0xdc}).Datagram(), nil,
			"Data indication ICMP=3/1/000005dc"},
		{ChannelData(0x4001, []byte("ping")), nil, `ChannelData 0x4001 "ping"`},
		{[]byte{1, 2, 3}, nil, "garbage of 3 bytes: turntest: not a STUN message"},
	} {
		if got := Describe(tt.datagram, tt.key); got != tt.want {
			t.Errorf("rendered\n%s\nwant\n%s", got, tt.want)
		}
	}
	if got := DescribeLabelled(request, nil, "tx=1"); !strings.HasPrefix(got, "Allocate request tx=1 USERNAME") {
		t.Errorf("the label stands behind the class: %s", got)
	}
}

func TestNamesAreTheirOwnInverse(t *testing.T) {
	for a := range attributeNames {
		if got, ok := AttributeByName(a.String()); !ok || got != a {
			t.Errorf("%v is found as %v", a, got)
		}
	}
	for m := range methodNames {
		if got, ok := MethodByName(m.String()); !ok || got != m {
			t.Errorf("%v is found as %v", m, got)
		}
	}
}

func TestChannelData(t *testing.T) {
	number, payload, err := DecodeChannelData(append(ChannelData(0x4FFF, []byte("abc")), 0))
	if err != nil || number != 0x4FFF || string(payload) != "abc" {
		t.Errorf("got 0x%04x %q %v; padding on UDP is accepted", number, payload, err)
	}
	for _, b := range [][]byte{nil, {0x40, 0, 0}, {0x50, 0, 0, 0}, {0x3F, 0xFF, 0, 0}, {0x40, 0, 0, 1}} {
		if _, _, err := DecodeChannelData(b); err == nil {
			t.Errorf("%x is taken for ChannelData", b)
		}
	}
}
