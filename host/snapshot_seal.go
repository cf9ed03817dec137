package host

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// ErrSnapshot is wrapped by what Snapshot, HandOver and Restore answer: there is
// none to be had now, the bytes are none, or the key is another.
var ErrSnapshot = client.ErrSnapshot

// SnapshotKeySize is the size of the key that seals snapshots, in bytes.
const SnapshotKeySize = 32

// snapshotHead begins a sealed snapshot; what follows is the nonce of AES-256-GCM
// and the sealed record: a line of JSON, and the machine's bytes, which are kept
// out of encoding/json's hands, for it keeps its buffers. The head names the
// version, and is authenticated with the rest.
const snapshotHead = "turnwasm snapshot 1\n"

// saved is what a snapshot holds: the machine's own, and what the host knows
// beside it.
type saved struct {
	Taken     time.Time // by the wall clock: the next process has no other
	Server    netip.AddrPort
	Local     netip.AddrPort // the socket's
	Asked     string         // Config.LocalAddr
	Permitted []netip.Addr
	Channels  map[netip.AddrPort]uint16
	Machine   []byte `json:"-"` // see client.Client.Snapshot; it holds the password
}

func sealer(key []byte) (cipher.AEAD, error) {
	if len(key) != SnapshotKeySize {
		return nil, fmt.Errorf("%w: the key has %d bytes, it needs %d", ErrSnapshot, len(key), SnapshotKeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal makes what is stored. It wipes what it sealed.
func (s *saved) seal(key []byte) ([]byte, error) {
	defer clear(s.Machine)
	aead, err := sealer(key)
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	record := append(append(make([]byte, 0, len(line)+1+len(s.Machine)), line...), '\n')
	record = append(record, s.Machine...)
	defer clear(record)
	out := make([]byte, len(snapshotHead)+aead.NonceSize(), len(snapshotHead)+aead.NonceSize()+len(record)+aead.Overhead())
	copy(out, snapshotHead)
	nonce := out[len(snapshotHead):]
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return aead.Seal(out, nonce, record, []byte(snapshotHead)), nil
}

// unseal reads what is stored, if nobody has changed it.
func unseal(sealed, key []byte) (*saved, error) {
	aead, err := sealer(key)
	if err != nil {
		return nil, err
	}
	head := len(snapshotHead) + aead.NonceSize()
	if len(sealed) < head || string(sealed[:len(snapshotHead)]) != snapshotHead {
		return nil, fmt.Errorf("%w: it is none, or of another version", ErrSnapshot)
	}
	record, err := aead.Open(nil, sealed[len(snapshotHead):head], sealed[head:], []byte(snapshotHead))
	if err != nil {
		return nil, fmt.Errorf("%w: it was changed, or sealed with another key", ErrSnapshot)
	}
	defer clear(record)
	line, machine, _ := bytes.Cut(record, []byte{'\n'})
	s := &saved{Machine: bytes.Clone(machine)}
	if err := json.Unmarshal(line, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return s, nil
}
