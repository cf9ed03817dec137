package hosttest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Raw is a TURN client that does only what it is told, and releases nothing: it
// plants what a client without a release leaves behind, and asks a server by
// the wire alone what it holds.
type Raw struct {
	conn         *net.UDPConn
	user, pass   string
	realm, nonce string
}

// DialRaw opens a socket on local (the zero AddrPort: any) to server.
func DialRaw(local, server netip.AddrPort) (*Raw, error) {
	var laddr *net.UDPAddr
	if local.IsValid() {
		laddr = net.UDPAddrFromAddrPort(local)
	}
	conn, err := net.DialUDP("udp", laddr, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil, err
	}
	return &Raw{conn: conn, user: Username, pass: Password}, nil
}

// Local is the socket's address.
func (r *Raw) Local() netip.AddrPort { return localAddr(r.conn) }

// Close closes the socket and sends nothing.
func (r *Raw) Close() error { return r.conn.Close() }

// Binding asks for the own address: the cheapest proof that a server answers.
func (r *Raw) Binding(ctx context.Context) (*Message, error) {
	return r.ask(ctx, newMessage(BindingRequest, newID()).b)
}

// Allocate sends an Allocate, answers the challenge, and returns the server's
// last word: a success or an error message.
func (r *Raw) Allocate(ctx context.Context) (*Message, error) {
	return r.request(ctx, AllocateRequest, func(m *builder) { m.add(attrRequestedTransport, []byte{17, 0, 0, 0}) })
}

// Refresh asks for a lifetime; 0 releases.
func (r *Raw) Refresh(ctx context.Context, lifetime time.Duration) (*Message, error) {
	return r.request(ctx, RefreshRequest, func(m *builder) { m.addUint32(attrLifetime, uint32(lifetime/time.Second)) })
}

// request signs as soon as the server has told realm and nonce, and once more
// when the nonce was stale.
func (r *Raw) request(ctx context.Context, typ uint16, fill func(*builder)) (*Message, error) {
	for {
		m := newMessage(typ, newID())
		fill(m)
		signed := r.nonce != ""
		if signed {
			m.add(attrUsername, []byte(r.user)).add(attrRealm, []byte(r.realm)).add(attrNonce, []byte(r.nonce))
			m.sign(longTermKey(r.user, r.realm, r.pass))
		}
		answer, err := r.ask(ctx, m.b)
		if err != nil {
			return nil, err
		}
		again := answer.Code == 401 && !signed || answer.Code == 438
		if !again || answer.Nonce == "" {
			return answer, nil
		}
		r.realm, r.nonce = answer.Realm, answer.Nonce
	}
}

// askAgain is how long an answer may take before the same bytes go out again.
const askAgain = 200 * time.Millisecond

// ask sends a request until its answer comes or ctx ends.
func (r *Raw) ask(ctx context.Context, request []byte) (*Message, error) {
	buf := make([]byte, 2048)
	for ctx.Err() == nil {
		if _, err := r.conn.Write(request); err != nil && !refused(err) {
			return nil, err
		}
		if err := r.conn.SetReadDeadline(earlier(ctx, time.Now().Add(askAgain))); err != nil {
			return nil, err
		}
		for {
			n, err := r.conn.Read(buf)
			if err != nil {
				if refused(err) {
					pause(ctx, askAgain/10)
				}
				break
			}
			if m := Decode(buf[:n]); m.STUN && m.Type&0x0100 != 0 && string(m.ID[:]) == string(request[8:20]) {
				return m, nil
			}
		}
	}
	return nil, fmt.Errorf("no answer to %s from %s: %w", Decode(request), r.conn.RemoteAddr(), ctx.Err())
}

func newID() (id [12]byte) {
	rand.Read(id[:])
	return id
}

// Send sends the bytes as they are.
func (r *Raw) Send(b []byte) error {
	_, err := r.conn.Write(b)
	return err
}
