package hosttest

import (
	"encoding/hex"
	"strings"
	"testing"
)

// RFC 5769 section 2.4: a request with long-term authentication.
const rfc5769Request = `
	000100602112a44278ad3433c6ad72c029da412e
	00060012e3839ee38388e383aae38383e382afe382b90000
	0015001c662f2f3439396b3935346436 4f4c33346f4c394653547679363473 41
	0014000b6578616d706c652e6f726700
	00080014f67024656dd64a3e02b8e0712e85c9a28ca89666`

func TestDecodeRFC5769(t *testing.T) {
	data, err := hex.DecodeString(strings.Join(strings.Fields(rfc5769Request), ""))
	if err != nil {
		t.Fatal(err)
	}
	m := Decode(data)
	if !m.STUN || m.Type != BindingRequest || !m.Signed || m.Username != "マトリックス" ||
		m.Realm != "example.org" || m.Nonce != "f//499k954d6OL34oL9FSTvy64sA" {
		t.Fatalf("decoded %+v", m)
	}
	b := newMessage(BindingRequest, m.ID).add(attrUsername, []byte(m.Username))
	b.add(attrNonce, []byte(m.Nonce)).add(attrRealm, []byte(m.Realm))
	b.sign(longTermKey("マトリックス", "example.org", "TheMatrIX"))
	if got := hex.EncodeToString(b.b); got != hex.EncodeToString(data) {
		t.Fatalf("signed\n%s, want\n%x", got, data)
	}
}

func TestDecodeTakesAnything(t *testing.T) {
	data, _ := hex.DecodeString(strings.Join(strings.Fields(rfc5769Request), ""))
	for n := range data {
		Decode(data[:n])
	}
	for _, s := range []string{"", "40", "400000", "40000000", "0101ffff2112a442", "ff"} {
		b, _ := hex.DecodeString(s)
		if m := Decode(b); m.STUN {
			t.Errorf("%q was taken for STUN", s)
		}
	}
	if m := Decode([]byte{0x40, 0x01, 0, 0}); m.Channel != 0x4001 {
		t.Errorf("channel 0x%x, want 0x4001", m.Channel)
	}
}
