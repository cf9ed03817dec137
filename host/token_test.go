package host_test

import (
	"crypto/rand"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// needTokenCoturn starts a coturn that shares a key with its authorization server.
// Where nothing may be skipped, what it takes has to be there.
func needTokenCoturn(t *testing.T, shared []byte) *hosttest.Coturn {
	t.Helper()
	flags, err := hosttest.TokenFlags(t.Context(), t.TempDir(), shared)
	if errors.Is(err, hosttest.ErrNoTokens) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return hosttest.NeedCoturn(t, flags...)
}

// newToken answers the token's key as coturn uses it.
func newToken(t *testing.T, shared []byte) (token, key []byte) {
	t.Helper()
	token, key, err := hosttest.NewToken(shared)
	if err != nil {
		t.Fatal(err)
	}
	return token, hosttest.CoturnTokenKey(key)
}

// A token allocates, echoes, refreshes and is replaced by another; the server
// names itself to who has none.
func TestA07CoturnTakesAccessTokens(t *testing.T) {
	shared := make([]byte, 32)
	rand.Read(shared)
	server := needTokenCoturn(t, shared)
	engines(t, func(t *testing.T, rt *host.Runtime) {
		token, key := newToken(t, shared)
		cfg := quick(server.Addr())
		cfg.Username, cfg.Password, cfg.AccessToken = hosttest.TokenKid, string(key), token
		c := dial(t, rt, cfg)
		wantEcho(t, c, hosttest.NeedEcho(t).Addr(), "by a token")
		token, key = newToken(t, shared)
		if err := c.SetToken(hosttest.TokenKid, key, token); err != nil {
			t.Fatal(err)
		}
		if err := c.Refresh(soon(t)); err != nil {
			t.Fatalf("Refresh with another token: %v", err)
		}
		wantEcho(t, c, hosttest.NeedEcho(t).Addr(), "by a token")
		wantClosed(t, c, 2*time.Second, client.Released)

		cfg.AccessToken = append([]byte(nil), token...)
		cfg.AccessToken[len(token)-1] ^= 1
		if c, err := rt.Dial(soon(t), cfg); err == nil {
			c.Close()
			t.Error("a token that is spoilt allocates")
		}
	})
}

func TestA07TokenNeeded(t *testing.T) {
	shared := make([]byte, 32)
	server := needTokenCoturn(t, shared)
	engines(t, func(t *testing.T, rt *host.Runtime) {
		c := dial(t, rt, quick(server.Addr())) // a password serves all the same
		wantClosed(t, c, 2*time.Second, client.Released)
		for e := range c.Events() {
			if e.Kind == client.TokenNeeded {
				if e.ServerName != hosttest.TokenServer {
					t.Errorf("the server's name is %q", e.ServerName)
				}
				return
			}
		}
		t.Error("nobody says that a token is needed")
	})
}
