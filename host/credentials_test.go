package host_test

import (
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/host"
)

// The passwords are openssl's: dgst -sha1 -hmac SECRET -binary | base64.
func TestTimeLimited(t *testing.T) {
	until := time.Unix(1800000000, 0)
	for name, want := range map[string]host.Credentials{
		"alice": {Username: "1800000000:alice", Password: "sIm7pn/teO7y3AyXGeXl/xAQR6Q="},
		"":      {Username: "1800000000", Password: "4T8K1gDWaxdgRxU6Bb5OYX1vip8="},
	} {
		got := host.TimeLimited([]byte("north"), name, until)
		if got.Username != want.Username || got.Password != want.Password {
			t.Errorf("for %q: %+v, want %+v", name, got, want)
		}
		if expiry, says := got.Expiry(); !says || !expiry.Equal(until) {
			t.Errorf("for %q: it expires %v, %t", name, expiry, says)
		}
	}
}

func TestExpiryOfOtherUsernames(t *testing.T) {
	for _, username := range []string{"", ":", "alice", "alice:1800000000", "0", "-1:x", "253402300800", "99999999999999999999", "1.8e9"} {
		if until, says := (host.Credentials{Username: username}).Expiry(); says {
			t.Errorf("%q is taken to expire %v", username, until)
		}
	}
	want := time.Unix(1700000000, 0)
	if until, says := (host.Credentials{Username: "1800000000", Expires: want}).Expiry(); !says || !until.Equal(want) {
		t.Errorf("Expires is not what counts: %v", until)
	}
}
