package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/turnwasm/turnwasm/host"
)

// patience is for the echoes that are still under way after the last send.
const patience = 2 * time.Second

// echoRun is n payloads on their way to the peer and back. A payload begins
// with the run's own number and its index.
type echoRun struct {
	conn *host.Conn
	out  *report
	run  uint64
	sent []time.Time

	rebindAt int // 0: it stays where it is
	back     []bool
	rtts     []time.Duration
}

func (c *checker) echo(ctx context.Context, conn *host.Conn) error {
	peer := c.peer
	if !peer.IsValid() {
		own, err := startPeer(ctx, conn)
		if err != nil {
			return interrupted(ctx, err)
		}
		defer own.close()
		peer = own.seen
	}
	if err := conn.BindChannel(ctx, peer); err != nil {
		return interrupted(ctx, err)
	}
	e := &echoRun{conn: conn, out: c.out, run: rand.Uint64(), sent: make([]time.Time, c.n), back: make([]bool, c.n), rebindAt: c.rebindAt}
	if err := e.all(ctx, peer, c.size, time.Duration(float64(time.Second)/c.rate)); err != nil {
		return interrupted(ctx, err)
	}
	c.out.echoed(len(e.sent), e.rtts)
	if len(e.rtts) == 0 {
		return fmt.Errorf("none of %d payloads came back from %s", c.n, peer)
	}
	return nil
}

// all sends at the rate and reads what comes meanwhile, and for a while after.
func (e *echoRun) all(ctx context.Context, peer netip.AddrPort, size int, every time.Duration) error {
	defer context.AfterFunc(ctx, func() { e.conn.SetReadDeadline(time.Now()) })()
	payload := make([]byte, size)
	begin := time.Now()
	for i := range e.sent {
		if err := e.readUntil(ctx, begin.Add(time.Duration(i)*every)); err != nil {
			return err
		}
		if err := e.maybeMove(ctx, i); err != nil {
			return err
		}
		binary.BigEndian.PutUint64(payload, e.run)
		binary.BigEndian.PutUint32(payload[8:], uint32(i))
		e.sent[i] = time.Now()
		if _, err := e.conn.WriteToAddrPort(payload, peer); err != nil {
			return err
		}
		e.out.progress(i+1, len(e.rtts), len(e.sent))
	}
	return e.readUntil(ctx, time.Now().Add(patience))
}

// readUntil takes echoes until the instant or until none is missing.
func (e *echoRun) readUntil(ctx context.Context, at time.Time) error {
	buf := make([]byte, maxSize)
	if err := e.conn.SetReadDeadline(at); err != nil {
		return err
	}
	for len(e.rtts) < len(e.sent) {
		n, _, err := e.conn.ReadFromAddrPort(buf)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		}
		e.take(buf[:n], time.Now())
	}
	return nil
}

// take counts an echo once, whatever else arrives.
func (e *echoRun) take(b []byte, now time.Time) {
	if len(b) < minSize || binary.BigEndian.Uint64(b) != e.run {
		return
	}
	i := int(binary.BigEndian.Uint32(b[8:]))
	if i >= len(e.sent) || e.back[i] || e.sent[i].IsZero() {
		return
	}
	e.back[i] = true
	e.rtts = append(e.rtts, now.Sub(e.sent[i]))
}

// percentile p of the round trips, by nearest rank.
func percentile(rtts []time.Duration, p int) time.Duration {
	if len(rtts) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(rtts))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// ownPeer is an echo peer on this machine.
type ownPeer struct {
	sock *net.UDPConn
	seen netip.AddrPort // its address as the relay sees it
	done chan struct{}
}

// knockEvery is the time between two tries of the peer to be heard.
const knockEvery = 200 * time.Millisecond

// startPeer opens the echo peer. It may be behind a NAT, with an address that
// it does not know: so it sends first, and the relay says where from.
func startPeer(ctx context.Context, conn *host.Conn) (*ownPeer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Second,
		errors.New("the relay cannot be reached by a peer on this machine: name one with -peer"))
	defer cancel()
	if err := conn.CreatePermission(ctx, conn.Mapped().Addr()); err != nil {
		return nil, err
	}
	sock, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(conn.Local().Addr(), 0)))
	if err != nil {
		return nil, err
	}
	p := &ownPeer{sock: sock, done: make(chan struct{})}
	if p.seen, err = p.knock(ctx, conn); err != nil {
		sock.Close()
		return nil, err
	}
	go p.serve(conn.Relayed())
	return p, nil
}

func (p *ownPeer) knock(ctx context.Context, conn *host.Conn) (netip.AddrPort, error) {
	token := binary.BigEndian.AppendUint64(nil, rand.Uint64())
	buf := make([]byte, maxSize)
	for ctx.Err() == nil {
		if _, err := p.sock.WriteToUDPAddrPort(token, conn.Relayed()); err != nil {
			return netip.AddrPort{}, err
		}
		if err := conn.SetReadDeadline(time.Now().Add(knockEvery)); err != nil {
			return netip.AddrPort{}, err
		}
		n, from, err := conn.ReadFromAddrPort(buf)
		if err == nil && string(buf[:n]) == string(token) {
			return from, nil
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return netip.AddrPort{}, err
		}
	}
	return netip.AddrPort{}, context.Cause(ctx)
}

// serve echoes what comes from the relay and nothing else.
func (p *ownPeer) serve(relay netip.AddrPort) {
	defer close(p.done)
	buf := make([]byte, maxSize)
	for {
		n, from, err := p.sock.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) == relay {
			p.sock.WriteToUDPAddrPort(buf[:n], from)
		}
	}
}

func (p *ownPeer) close() {
	p.sock.Close()
	<-p.done
}
