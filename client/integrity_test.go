package client

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"testing"
)

// Keys shorter than a block, as long as one, and longer, against the standard
// library's own.
func TestA02HMAC(t *testing.T) {
	text := []byte("the text that is signed, in two parts")
	for n := range 2*sha256.BlockSize + 3 {
		key := bytes.Repeat([]byte{0xa5}, n)
		want := hmac.New(sha256.New, key)
		want.Write(text)
		if got := hmacSHA256(key, text[:11], text[11:]); !bytes.Equal(got[:], want.Sum(nil)) {
			t.Errorf("a key of %d bytes: %x", n, got)
		}
	}
}
