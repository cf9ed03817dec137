package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/host/hosttest"
	"golang.org/x/sys/unix"
)

const rawChannel = 0x4000

// raw is a UDP socket with a ChannelData header in front of each payload, one
// call of package net a packet: what a client without any cost would be.
type raw struct {
	conn *net.UDPConn
	out  []byte
	in   []byte
}

func (r *raw) open(_ context.Context, s *spec) (err error) {
	fd, _, err := openSocket()
	if err != nil {
		return err
	}
	if err = rawAllocate(fd, s); err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), "udp")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return err
	}
	r.conn = conn.(*net.UDPConn)
	r.out, r.in = make([]byte, 2048), make([]byte, 2048)
	return nil
}

// write serves one writer: the limit has no use for more.
func (r *raw) write(payload []byte) error {
	putHeader(r.out, rawChannel, len(payload))
	n := copy(r.out[channelHeader:], payload)
	_, err := r.conn.Write(r.out[:channelHeader+n])
	return err
}

func (r *raw) read(b []byte) (int, error) {
	n, err := r.conn.Read(r.in)
	if err != nil {
		return 0, err
	}
	return copy(b, r.in[channelHeader:n]), nil
}

func (r *raw) close() error { return r.conn.Close() }

// rawOffload is the same with the kernel's segmentation offload and a blocking
// socket, and nothing of Go's network poller.
type rawOffload struct {
	copies bool // the payloads lie elsewhere, packed, and are copied behind their headers
	fd     int
}

func (r *rawOffload) open(_ context.Context, s *spec) (err error) {
	if r.fd, _, err = openSocket(); err != nil {
		return err
	}
	if err = rawAllocate(r.fd, s); err != nil {
		return err
	}
	return setGRO(r.fd, s.Work == workBatches)
}

func (r *rawOffload) write(payload []byte) error {
	b := make([]byte, channelHeader, channelHeader+maxPayload)
	putHeader(b, rawChannel, len(payload))
	_, err := unix.Write(r.fd, append(b, payload...))
	return err
}

func (r *rawOffload) read(b []byte) (int, error) {
	in := make([]byte, 2048)
	n, err := unix.Read(r.fd, in)
	if err != nil {
		return 0, err
	}
	return copy(b, in[channelHeader:n]), nil
}

func (r *rawOffload) close() error { return unix.Close(r.fd) }

// rawOut is a batch in the kernel's own layout: a message a run.
type rawOut struct {
	fd       int
	m        *mmsgs
	n        int
	payloads [][]byte // where the application writes
	behind   [][]byte // nil, or where copies of them go
}

func (r *rawOffload) outgoing(sizes []int, _ bool) (outgoing, error) {
	runs := runsOf(sizes)
	o := &rawOut{fd: r.fd, m: newMmsgs(len(runs)), n: len(runs)}
	i := 0
	for k, run := range runs {
		total := 0
		for _, size := range run {
			total += channelHeader + size
		}
		buf, at := make([]byte, total), 0
		for _, size := range run {
			putHeader(buf[at:], rawChannel, size)
			o.place(buf[at+channelHeader : at+channelHeader+size])
			at += channelHeader + size
			i++
		}
		o.m.put(k, buf, channelHeader+run[0])
	}
	if r.copies {
		o.pack()
	}
	return o, nil
}

func (o *rawOut) place(payload []byte) { o.payloads = append(o.payloads, payload) }

// pack lets the application write into packed payloads of its own.
func (o *rawOut) pack() {
	o.behind = o.payloads
	o.payloads = nil
	for _, b := range o.behind {
		o.place(make([]byte, len(b)))
	}
}

func (o *rawOut) payload(i int) []byte { return o.payloads[i] }

func (o *rawOut) send() error {
	for i, b := range o.behind {
		copy(b, o.payloads[i])
	}
	return o.m.send(o.fd, o.n)
}

// runsOf cuts a batch into what one send may carry: equal sizes, of which the
// last may be smaller.
func runsOf(sizes []int) (runs [][]int) {
	start := 0
	for i := 1; i <= len(sizes); i++ {
		ends := i == len(sizes) || sizes[i] > sizes[start] || sizes[i-1] < sizes[start]
		if ends {
			runs = append(runs, sizes[start:i])
			start = i
		}
	}
	return runs
}

// rawIn reads coalesced runs.
type rawIn struct {
	fd  int
	m   *mmsgs
	buf []byte
}

func (r *rawOffload) incoming() incoming {
	in := &rawIn{fd: r.fd, m: newMmsgs(1), buf: make([]byte, 65536)}
	in.m.room(0, in.buf)
	return in
}

func (in *rawIn) receive(each func([]byte)) error {
	if _, err := in.m.receive(in.fd, 0); err != nil {
		return err
	}
	b, segment := in.buf[:in.m.length(0)], in.m.segment(0)
	if segment == 0 {
		segment = len(b)
	}
	for len(b) > 0 {
		d := b[:min(segment, len(b))]
		b = b[len(d):]
		each(d[channelHeader:])
	}
	return nil
}

// rawAllocate connects a socket and asks for what a client needs: an
// allocation, the peer's permission and a channel.
func rawAllocate(fd int, s *spec) error {
	if err := unix.Connect(fd, sockaddr(s.Server)); err != nil {
		return err
	}
	key := turntest.LongTermKey(hosttest.Username, hosttest.Realm, hosttest.Password)
	sign := func(b *turntest.Builder) []byte {
		return b.Text(turntest.AttrUsername, hosttest.Username).Text(turntest.AttrRealm, hosttest.Realm).
			Text(turntest.AttrNonce, serverNonce).Integrity(key).Datagram()
	}
	id := turntest.TransactionID{1}
	err := ask(fd, sign(turntest.Build(turntest.MethodAllocate, turntest.Request, id).Transport(17)))
	if err != nil {
		return err
	}
	id[1] = 1
	return ask(fd, sign(turntest.Build(turntest.MethodChannelBind, turntest.Request, id).
		Channel(rawChannel).Address(turntest.AttrXORPeerAddress, s.To)))
}

func ask(fd int, request []byte) error {
	buf := make([]byte, 2048)
	for range 5 {
		if _, err := unix.Write(fd, request); err != nil {
			return err
		}
		if ready, err := await(fd, 200*time.Millisecond); err != nil || !ready {
			continue
		}
		n, err := unix.Read(fd, buf)
		if err != nil {
			return err
		}
		m, err := turntest.Decode(buf[:n])
		if err != nil {
			return err
		}
		if m.Class == turntest.Success {
			return nil
		}
		code, reason := m.ErrorCode()
		return fmt.Errorf("%s: %d %s", m.Method, code, reason)
	}
	return fmt.Errorf("no answer from the far side")
}
