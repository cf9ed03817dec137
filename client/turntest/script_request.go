package turntest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// scriptRequest is a request that a client sent.
type scriptRequest struct {
	n      int
	client *scriptClient
	raw    []byte
	m      *Message
	key    []byte // nil: unsigned
}

// label names a request, and finds the key that it should be signed with.
func (r *scriptRunner) label(c *scriptClient, datagram []byte) (label string, key []byte, err error) {
	m, err := Decode(datagram)
	if err != nil || m.Class != Request {
		return "", nil, nil // ChannelData and indications have no name
	}
	q := r.named[m.ID]
	if q == nil {
		q = r.name(c, m, datagram)
	}
	if !bytes.Equal(q.raw, datagram) {
		err = errors.New("other bytes under the transaction ID of an earlier request")
	}
	return fmt.Sprintf("tx=%d", q.n), q.key, err
}

func (r *scriptRunner) name(c *scriptClient, m *Message, datagram []byte) *scriptRequest {
	own, _ := Decode(bytes.Clone(datagram))
	q := &scriptRequest{n: len(r.order) + 1, client: c, raw: bytes.Clone(datagram), m: own}
	if m.Signed() {
		q.key = c.keyOf(m)
	}
	if peer, ok := m.Address(AttrXORPeerAddress); ok && m.Method == MethodChannelBind {
		c.channels[peer.String()], _ = m.Channel()
	}
	r.named[m.ID] = q
	r.order = append(r.order, q)
	return q
}

// keyOf finds the password that verifies, the newest first; if none does, the
// newest is what the request should have been signed with.
func (c *scriptClient) keyOf(m *Message) []byte {
	for _, p := range slices.Backward(c.passwords) {
		if key := c.keyUnder(m, p); m.Verify(key) {
			return key
		}
	}
	return c.keyUnder(m, c.passwords[len(c.passwords)-1])
}

// keyUnder is the key that a password makes for the request. A hash of the
// username stands for one of those that it was given.
func (c *scriptClient) keyUnder(m *Message, password string) []byte {
	user := m.Text(AttrUsername)
	for _, u := range c.usernames {
		if m.By(u) {
			user = u
		}
	}
	if slices.Contains(c.kids, user) {
		return []byte(password)
	}
	return m.KeyOf(user, password)
}

// bareText is a realm without the quotes and NULs that some servers send.
func bareText(realm string) string { return strings.Trim(strings.TrimRight(realm, "\x00"), `"`) }
