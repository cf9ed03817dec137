package client

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// holding makes a client that holds credentials in every place where it can:
// its own, the signer's, a retired signer's that a request still holds, and
// a given-up request's.
func holding(t *testing.T) *Client {
	t.Helper()
	c, err := New(Config{
		Server: netip.MustParseAddrPort("192.0.2.1:3478"), Username: []byte("alice"),
		Password: []byte("secret"), Rand: rand.NewChaCha8([32]byte{3}),
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Hour
	c.accept(challenge{realm: []byte("example.org"), nonce: []byte("n1")})
	c.request(transaction{purpose: forAllocate, signer: c.auth.signer}, now)
	c.pump(now)
	if err := c.SetCredentials(now, []byte("alice"), []byte("another")); err != nil {
		t.Fatal(err)
	}
	c.forgo(c.requests[0])
	return c
}

// secrets are the places themselves, so that a copy left behind is seen.
func secrets(c *Client) (all [][]byte) {
	all = append(all, c.auth.username, c.auth.password, c.auth.signer.username, c.auth.signer.key[:])
	for _, cr := range c.auth.retired {
		all = append(all, cr.username, cr.key[:])
	}
	for i := range c.forgone {
		all = append(all, c.forgone[i].signer.username, c.forgone[i].signer.key[:])
	}
	for _, tx := range c.requests {
		all = append(all, tx.signer.username, tx.signer.key[:])
	}
	return all
}

func TestA13FreeWipesWhatItHolds(t *testing.T) {
	c := holding(t)
	places := secrets(c)
	if len(places) != 10 {
		t.Fatalf("credentials lie in %d places: the test knows of 10", len(places))
	}
	c.Free()
	for i, p := range places {
		if !bytes.Equal(p, make([]byte, len(p))) {
			t.Errorf("place %d still holds %q", i, p)
		}
	}
	if c.Phase() != PhaseClosed {
		t.Errorf("the phase after Free is %v", c.Phase())
	}
}

func TestA13ReplacedCredentialsAreWipedWhenNothingHoldsThem(t *testing.T) {
	c := holding(t)
	old := c.requests[0].signer
	c.forgone = nil
	c.sweepCredentials()
	if old.key == [16]byte{} {
		t.Fatal("a key that a request holds is wiped")
	}
	c.remove(c.requests[0])
	c.sweepCredentials()
	if old.key != [16]byte{} || !bytes.Equal(old.username, make([]byte, 5)) {
		t.Error("a key that nothing holds is kept")
	}
}

func TestA13OldPasswordIsWipedBySetCredentials(t *testing.T) {
	c := holding(t)
	old := c.auth.password
	if err := c.SetCredentials(time.Hour, []byte("alice"), []byte("third")); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(old, make([]byte, len(old))) {
		t.Errorf("the old password lies there: %q", old)
	}
}
