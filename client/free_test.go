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
	return holdingUnder(t, challenge{realm: []byte("example.org"), nonce: []byte("n1")})
}

// modernChallenge asks for SHA-256 and a hash of the username.
var modernChallenge = challenge{
	realm: []byte("example.org"), nonce: []byte("obMatJos2wAAAn1"), list: []byte{0, 2, 0, 0}, listed: true,
}

func holdingUnder(t *testing.T, ch challenge) *Client {
	t.Helper()
	c, err := New(Config{
		Server: netip.MustParseAddrPort("192.0.2.1:3478"), Username: []byte("alice"),
		Password: []byte("secret"), Rand: rand.NewChaCha8([32]byte{3}),
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Hour
	c.accept(ch)
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
	all = append(all, c.auth.username, c.auth.password)
	if c.auth.bearer() {
		all = append(all, c.auth.token)
	}
	all = append(all, secretsOf(c.auth.signer)...)
	for _, cr := range c.auth.retired {
		all = append(all, secretsOf(cr)...)
	}
	for i := range c.forgone {
		all = append(all, secretsOf(c.forgone[i].signer)...)
	}
	for _, tx := range c.requests {
		all = append(all, secretsOf(tx.signer)...)
	}
	return all
}

func secretsOf(cr *credential) (all [][]byte) {
	all = append(all, cr.username, cr.key[:])
	if cr.modern != nil {
		all = append(all, cr.modern.key, cr.modern.hash[:])
		if cr.bearer() {
			all = append(all, cr.modern.token)
		}
	}
	return all
}

func TestA13FreeWipesWhatItHolds(t *testing.T) {
	c := holding(t)
	places := secrets(c)
	if len(places) != 10 {
		t.Fatalf("credentials lie in %d places: the test knows of 10", len(places))
	}
	wantWiped(t, c, places)
}

func TestA13FreeWipesWhatSHA256Made(t *testing.T) {
	c := holdingUnder(t, modernChallenge)
	c.renew(challenge{realm: modernChallenge.realm, nonce: []byte("obMatJos2wAAAn2"), list: []byte{0, 2, 0, 0, 0, 1, 0, 0}, listed: true})
	c.sweepCredentials()
	places := secrets(c)
	if len(places) != 2+4*4 {
		t.Fatalf("credentials lie in %d places: the test knows of 18", len(places))
	}
	if bytes.Equal(c.auth.signer.modern.key, make([]byte, 32)) {
		t.Fatal("there is no key")
	}
	wantWiped(t, c, places)
}

func TestA13FreeWipesTokens(t *testing.T) {
	c := holding(t)
	key, token := []byte("the key of the token"), []byte("the token")
	for _, kid := range []string{"kid1", "kid2"} { // the first serves nothing yet, the second follows it
		if err := c.SetToken(time.Hour, []byte(kid), key, token); err != nil {
			t.Fatal(err)
		}
		c.accept(modernChallenge)
	}
	places := secrets(c)
	if !bytes.Equal(c.auth.signer.secret(), key) || !bytes.Equal(c.auth.signer.modern.token, token) {
		t.Fatal("the token does not sign")
	}
	wantWiped(t, c, places)
	if !bytes.Equal(key, []byte("the key of the token")) || !bytes.Equal(token, []byte("the token")) {
		t.Error("what the caller gave is wiped too")
	}
}

func wantWiped(t *testing.T, c *Client, places [][]byte) {
	t.Helper()
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
