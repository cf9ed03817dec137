package main

import (
	"context"
	"net"
	"net/netip"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// ours is this module's client on one of its engines.
type ours struct {
	engine host.Engine
	rt     *host.Runtime
	conn   *host.Conn
	to     netip.AddrPort
	peer   net.Addr
}

func newOurs(engine string) *ours {
	if engine == "native" {
		return &ours{engine: host.Native}
	}
	return &ours{engine: host.Wasm}
}

func (o *ours) open(ctx context.Context, s *spec) (err error) {
	o.to, o.peer = s.To, net.UDPAddrFromAddrPort(s.To)
	if o.rt, err = host.New(ctx, host.WithEngine(o.engine)); err != nil {
		return err
	}
	o.conn, err = o.rt.Dial(ctx, host.Config{
		URL: "turn:" + s.Server.String(), Username: hosttest.Username, Password: hosttest.Password,
	})
	if err != nil {
		return err
	}
	if err = setBuffersOf(o.conn.Local()); err != nil {
		return err
	}
	return o.conn.BindChannel(ctx, s.To)
}

func (o *ours) write(payload []byte) error {
	_, err := o.conn.WriteTo(payload, o.peer)
	return err
}

func (o *ours) read(b []byte) (int, error) {
	n, _, err := o.conn.ReadFrom(b)
	return n, err
}

// oursOut is a batch for WriteBatch: one Message that is a run, or a Message
// for each payload.
type oursOut struct {
	conn     *host.Conn
	messages []host.Message
	payloads [][]byte
}

func (o *ours) outgoing(sizes []int, run bool) (outgoing, error) {
	out := &oursOut{conn: o.conn}
	total := 0
	for _, size := range sizes {
		total += size
	}
	packed := make([]byte, total)
	for rest := packed; len(rest) > 0; rest = rest[len(out.payloads[len(out.payloads)-1]):] {
		out.payloads = append(out.payloads, rest[:sizes[len(out.payloads)]])
	}
	if run {
		out.messages = []host.Message{{Buffer: packed, Peer: o.to, Segment: sizes[0]}}
		return out, nil
	}
	for _, payload := range out.payloads {
		out.messages = append(out.messages, host.Message{Buffer: payload, Peer: o.to})
	}
	return out, nil
}

func (out *oursOut) payload(i int) []byte { return out.payloads[i] }

func (out *oursOut) send() error {
	for left := out.messages; len(left) > 0; {
		n, err := out.conn.WriteBatch(left)
		if err != nil {
			return err
		}
		left = left[n:]
	}
	return nil
}

// oursIn is room for some runs.
type oursIn struct {
	conn     *host.Conn
	messages [4]host.Message
}

func (o *ours) incoming() incoming {
	in := &oursIn{conn: o.conn}
	for i := range in.messages {
		in.messages[i].Buffer = make([]byte, 65536)
	}
	return in
}

func (in *oursIn) receive(each func([]byte)) error {
	for i := range in.messages {
		in.messages[i].Segment = 1 // a run is welcome
	}
	n, err := in.conn.ReadBatch(in.messages[:])
	if err != nil {
		return err
	}
	for i := range in.messages[:n] {
		m := &in.messages[i]
		for b := m.Buffer[:m.N]; len(b) > 0; {
			payload := b[:min(m.Segment, len(b))]
			b = b[len(payload):]
			each(payload)
		}
	}
	return nil
}

func (o *ours) close() error {
	err := o.conn.Close()
	if shut := o.rt.Close(); err == nil {
		err = shut
	}
	return err
}
