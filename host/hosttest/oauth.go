package hosttest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Access tokens (RFC 7635), as an authorization server hands them out for a
// coturn that shares a key with it.
const (
	TokenServer = "turn.turnwasm.test" // who the tokens are for
	TokenKid    = "north"              // the name of the key
)

// ErrNoTokens: what coturn's table of keys is made with is not installed.
var ErrNoTokens = errors.New("not installed (make deps installs it)")

// NewToken is what an authorization server hands out: a token that the server
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
func NewToken(shared []byte) (token, macKey []byte, err error) {
	block, err := aes.NewCipher(shared)
	if err != nil {
		return nil, nil, err
	}
	sealer, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, err
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
	return sealer.Seal(token, nonce, plain, []byte(TokenServer)), macKey, nil
}

// CoturnTokenKey is the key as coturn (4.6.1) uses it: it opens the token, and then
// signs and verifies with the first 16 of the 20 bytes, as many as an MD5 key has.
func CoturnTokenKey(macKey []byte) []byte { return macKey[:16] }

// TokenFlags make a coturn take tokens. The table of keys is a file in dir.
func TokenFlags(ctx context.Context, dir string, shared []byte) ([]string, error) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		return nil, fmt.Errorf("sqlite3: %w", ErrNoTokens)
	}
	schema, err := os.ReadFile("/usr/share/coturn/schema.sql")
	if err != nil {
		return nil, fmt.Errorf("coturn's schema: %w", ErrNoTokens)
	}
	db := filepath.Join(dir, "turndb")
	insert := fmt.Sprintf("%s\nINSERT INTO oauth_key (kid,ikm_key,timestamp,lifetime,as_rs_alg,realm) VALUES('%s','%s',0,0,'A256GCM','%s');",
		schema, TokenKid, base64.StdEncoding.EncodeToString(shared), Realm)
	if out, err := exec.CommandContext(ctx, "sqlite3", db, insert).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("sqlite3: %w\n%s", err, out)
	}
	return []string{"--oauth", "--server-name=" + TokenServer, "--userdb=" + db}, nil
}
