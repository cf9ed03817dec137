package idlebench

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

const (
	realm = "turn.example.org"
	// nonceLife is how long a nonce is good: coturn's default.
	nonceLife = 600 * time.Second
	granted   = 600 * time.Second
	nonceSize = 64
)

var serverAddr = netip.MustParseAddrPort("192.0.2.1:3478")

// user is who a client is to the server.
type user struct {
	name, password string
	key            stun.MessageIntegrity
}

func newUser(i int) user {
	u := user{name: fmt.Sprintf("%d:user%07d", 1767225600+i, i), password: fmt.Sprintf("%027d=", i)}
	u.key = stun.NewLongTermIntegrity(u.name, realm, u.password)
	return u
}

var errRequest = errors.New("idlebench: the server cannot read a request")

// answer is what the server says to a client's request. The server holds
// nothing: the nonce tells when it was given.
func (u *user) answer(now time.Duration, request []byte) ([]byte, error) {
	m := stun.Message{Raw: request}
	if err := m.Decode(); err != nil || m.Type.Class != stun.ClassRequest {
		return nil, errRequest
	}
	nonce, err := m.Get(stun.AttrNonce)
	if err != nil {
		return challenge(now, &m, stun.CodeUnauthorized)
	}
	if now-givenAt(nonce) > nonceLife {
		return challenge(now, &m, stun.CodeStaleNonce)
	}
	if err := u.key.Check(&m); err != nil {
		return nil, fmt.Errorf("%w: %w", errRequest, err)
	}
	return u.success(&m)
}

func challenge(now time.Duration, m *stun.Message, code stun.ErrorCode) ([]byte, error) {
	out, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.NewType(m.Type.Method, stun.ClassErrorResponse),
		code, stun.NewRealm(realm), stun.RawAttribute{Type: stun.AttrNonce, Value: nonceOf(now)})
	if err != nil {
		return nil, err
	}
	return out.Raw, nil
}

func (u *user) success(m *stun.Message) ([]byte, error) {
	lifetime := binary.BigEndian.AppendUint32(nil, uint32(granted/time.Second))
	if asked, err := m.Get(stun.AttrLifetime); err == nil && binary.BigEndian.Uint32(asked) == 0 {
		lifetime = make([]byte, 4)
	}
	setters := []stun.Setter{stun.NewTransactionIDSetter(m.TransactionID), stun.NewType(m.Type.Method, stun.ClassSuccessResponse)}
	if m.Type.Method == stun.MethodAllocate {
		setters = append(setters, xor(stun.AttrXORRelayedAddress), xor(stun.AttrXORMappedAddress))
	}
	if m.Type.Method == stun.MethodAllocate || m.Type.Method == stun.MethodRefresh {
		setters = append(setters, stun.RawAttribute{Type: stun.AttrLifetime, Value: lifetime})
	}
	out, err := stun.Build(append(setters, u.key)...)
	if err != nil {
		return nil, err
	}
	return out.Raw, nil
}

// xor is an address attribute: everybody's is the same.
type xor stun.AttrType

func (t xor) AddTo(m *stun.Message) error {
	a := stun.XORMappedAddress{IP: []byte{198, 51, 100, 200}, Port: 50000}
	return a.AddToAs(m, stun.AttrType(t))
}

// nonceOf is a nonce given at the instant.
func nonceOf(now time.Duration) []byte {
	nonce := make([]byte, nonceSize)
	hex.Encode(nonce, binary.BigEndian.AppendUint64(nil, uint64(now)))
	for i := 16; i < nonceSize; i++ {
		nonce[i] = "0123456789abcdef"[i%16]
	}
	return nonce
}

func givenAt(nonce []byte) time.Duration {
	var at [8]byte
	if len(nonce) != nonceSize {
		return 0
	}
	if _, err := hex.Decode(at[:], nonce[:16]); err != nil {
		return 0
	}
	return time.Duration(binary.BigEndian.Uint64(at[:]))
}
