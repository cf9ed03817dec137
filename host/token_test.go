package host_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

const (
	tokenServer = "turn.turnwasm.test"
	tokenKid    = "north"
)

// newToken is what an authorization server hands out: a token that the server
// can open with the key that the two share, and the token's own key.
//
//	struct {
//	    uint16_t nonce_length;
//	    opaque nonce[nonce_length];
//	    opaque {
//	        uint16_t key_length;
//	        opaque mac_key[key_length];
//	        uint64_t timestamp;
//	        uint32_t lifetime;
//	    } encrypted_block;
//	} token;
//
// https://www.rfc-editor.org/rfc/rfc7635#section-6.2
func newToken(t *testing.T, shared []byte) (token, macKey []byte) {
	t.Helper()
	block, err := aes.NewCipher(shared)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	macKey, nonce := make([]byte, 20), make([]byte, sealer.NonceSize())
	rand.Read(macKey)
	rand.Read(nonce)
	plain := binary.BigEndian.AppendUint16(nil, uint16(len(macKey)))
	plain = append(plain, macKey...)
	plain = binary.BigEndian.AppendUint64(plain, uint64(time.Now().Unix())<<16)
	plain = binary.BigEndian.AppendUint32(plain, 3600)
	token = binary.BigEndian.AppendUint16(nil, uint16(len(nonce)))
	token = append(token, nonce...)
	return sealer.Seal(token, nonce, plain, []byte(tokenServer)), macKey
}

// needTokenCoturn starts a coturn that shares a key with its authorization server.
func needTokenCoturn(t *testing.T, shared []byte) *hosttest.Coturn {
	t.Helper()
	const schema = "/usr/share/coturn/schema.sql"
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3, which fills coturn's table of keys, is not installed")
	}
	text, err := os.ReadFile(schema)
	if err != nil {
		t.Skipf("coturn's schema: %v", err)
	}
	db := filepath.Join(t.TempDir(), "turndb")
	insert := fmt.Sprintf("%s\nINSERT INTO oauth_key (kid,ikm_key,timestamp,lifetime,as_rs_alg,realm) VALUES('%s','%s',0,0,'A256GCM','%s');",
		text, tokenKid, base64.StdEncoding.EncodeToString(shared), hosttest.Realm)
	if out, err := exec.CommandContext(t.Context(), "sqlite3", db, insert).CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	return hosttest.NeedCoturn(t, "--oauth", "--server-name="+tokenServer, "--userdb="+db)
}

// coturnKey is the key as coturn (4.6.1) uses it: it opens the token, and then
// signs and verifies with the first 16 of the 20 bytes, as many as an MD5 key has.
func coturnKey(macKey []byte) []byte { return macKey[:16] }

// A token allocates, echoes, refreshes and is replaced by another; the server
// names itself to who has none.
func TestA07CoturnTakesAccessTokens(t *testing.T) {
	shared := make([]byte, 32)
	rand.Read(shared)
	server := needTokenCoturn(t, shared)
	engines(t, func(t *testing.T, rt *host.Runtime) {
		token, key := newToken(t, shared)
		cfg := quick(server.Addr())
		cfg.Username, cfg.Password, cfg.AccessToken = tokenKid, string(coturnKey(key)), token
		c := dial(t, rt, cfg)
		wantEcho(t, c, hosttest.NeedEcho(t).Addr(), "by a token")
		token, key = newToken(t, shared)
		if err := c.SetToken(tokenKid, coturnKey(key), token); err != nil {
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
				if e.ServerName != tokenServer {
					t.Errorf("the server's name is %q", e.ServerName)
				}
				return
			}
		}
		t.Error("nobody says that a token is needed")
	})
}
