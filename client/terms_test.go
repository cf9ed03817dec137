package client

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// RFC 8489 B.1 as erratum 6268 corrects it: length 0x90, PASSWORD-ALGORITHM
// SHA-256, another HMAC.
const vectorSHA256 = `000100902112a44278ad3433c6ad72c029da412e
	001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
	001500296f624d61744a6f733241414143662f2f3439396b393534643 64f4c33346f4c39465354767936347341000000
	0014000b6578616d706c652e6f726700 001d000400020000
	001c0020%s`

const (
	correctedHMAC = "b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65"
	printedHMAC   = "e4686c8f0edeb59013e07090010a93efccbccc544c0a45d9f830aa6d6f735a01"
)

func TestA14VectorOfRFC8489(t *testing.T) {
	user, realm, password := []byte("\u30de\u30c8\u30ea\u30c3\u30af\u30b9"), []byte("example.org"), []byte("TheMatrIX")
	m := parsed(t, unhex(t, fmt.Sprintf(vectorSHA256, correctedHMAC)))
	terms, refused := termsOf(challenge{
		realm: realm, nonce: []byte("obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"), list: []byte{0, 2, 0, 0}, listed: true,
	})
	if refused != "" || !terms.userhash || terms.algorithm != algorithmSHA256 {
		t.Fatalf("the terms are %+v, %q", terms, refused)
	}
	cr := newCredentialUnder(terms, identity{username: user, password: password}, realm)
	if !m.signedBy(cr) {
		t.Error("the vector does not verify")
	}
	if hash := unhex(t, "4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"); !bytes.Equal(cr.modern.hash[:], hash) {
		t.Errorf("USERHASH is %x", cr.modern.hash)
	}
	for _, other := range []string{"The\u00adM\u00aatr\u2168", "themat"} {
		if m.signedBy(newCredentialUnder(terms, identity{username: user, password: []byte(other)}, realm)) {
			t.Errorf("the vector verifies with the password %q", other)
		}
	}
	if parsed(t, unhex(t, fmt.Sprintf(vectorSHA256, printedHMAC))).signedBy(cr) {
		t.Error("the printed HMAC verifies")
	}
}

func TestA14LongTermKey256(t *testing.T) {
	key := longTermKey256([]byte("user"), []byte("realm"), []byte("pass"))
	// As "printf user:realm:pass | sha256sum" has it.
	const want = "07e934117abd40836e7c6329b54731b2b2d2a5f9a71f544922d75e0730d8251b"
	if got := hex.EncodeToString(key[:]); got != want {
		t.Errorf("the key of user, realm, pass is %s", got)
	}
}

func TestA02FeaturesOfANonce(t *testing.T) {
	for nonce, want := range map[string]features{
		"":                          {},
		"n1":                        {},
		"obMatJos2":                 {},
		"obMatJos2AAA":              {},
		"obMatJos2AAAA":             {},
		"obMatJos2gAAAx":            {algorithms: true},
		"obMatJos2AAABx":            {algorithms: true},
		"obMatJos2QAAAx":            {anonymity: true},
		"obMatJos2AAACx":            {anonymity: true},
		"obMatJos2wAAA":             {algorithms: true, anonymity: true},
		"obMatJos2AAAD":             {algorithms: true, anonymity: true},
		"obMatJos2P//8":             {}, // all the others
		"obMatJos2gAA=x":            {}, // not 24 bits
		"obmatjos2gAAAx":            {},
		"xobMatJos2gAAAx":           {},
		"obMatJos2\x00\x00\x00\x00": {},
	} {
		if got := featuresOf([]byte(nonce)); got != want {
			t.Errorf("the features of %q are %+v, want %+v", nonce, got, want)
		}
	}
}

func TestA02ChooseAlgorithm(t *testing.T) {
	long := strings.Repeat("00090000", 15)
	for list, want := range map[string]passwordAlgorithm{
		"":                             0,
		"00020000":                     algorithmSHA256,
		"00010000 00020000":            algorithmSHA256,
		"00010000":                     algorithmMD5,
		"00030000 00010000":            algorithmMD5,
		"00030001 ff000000 00020000":   algorithmSHA256, // one that is skipped with its padding
		"00020000 000300 01ff":         algorithmSHA256, // the padding belongs to the attribute
		"00020004 01020304":            0,               // SHA-256 with parameters is not SHA-256
		"00020000 0001":                0,
		"00020000 0001 0005 01020304":  0,
		"0002 ffff":                    0,
		long + "00020000":              algorithmSHA256, // 64 bytes
		long + "00020000" + "00010000": 0,
	} {
		if got := chooseAlgorithm(unhex(t, list)); got != want {
			t.Errorf("of %s it chooses %d, want %d", list, got, want)
		}
	}
}
