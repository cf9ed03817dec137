package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	creditQuiet  = time.Millisecond       // without a packet, until the rest is told
	reportQuiet  = 200 * time.Millisecond // without a packet, until nothing more is awaited
	receiveRuns  = 8                      // buffers of 64 KiB
	receivePlain = 64                     // buffers of one datagram
	creditPipe   = 3                      // the descriptor that the parent has handed over
)

// far is the far side: one thread that serves one client. It is the TURN server
// and the peer behind it, or the peer alone behind another server.
type far struct {
	spec   *spec
	fd     int
	server *server // nil: it is the peer alone
	book   *ledger
	in     *mmsgs
	room   [][]byte
	out    *mmsgs
	client netip.AddrPort // whom the socket is connected to

	acked  uint64
	heard  heard
	report uint64 // how many packets are awaited before the report; 0 = none asked for
}

// runFar is the far side's process: it prints its address, then obeys lines
// from its standard input until that ends: "go" generates, "report N" answers
// as soon as N packets have come, or no more do.
func runFar(s *spec) error {
	runtime.LockOSThread()
	fd, local, err := openSocket()
	if err != nil {
		return err
	}
	f := &far{spec: s, fd: fd, book: newLedger(), out: newMmsgs(8)}
	if !s.Peer {
		f.server = newServer(local)
	}
	if err := f.makeRoom(); err != nil {
		return err
	}
	fmt.Println(local)
	return f.serve(bufio.NewReader(os.Stdin))
}

// makeRoom prepares for what one call may receive.
func (f *far) makeRoom() error {
	n, size := receivePlain, 2048
	if f.spec.Coalesce {
		n, size = receiveRuns, 65536
	}
	f.in = newMmsgs(n)
	f.room = make([][]byte, n)
	for i := range f.room {
		f.room[i] = make([]byte, size)
		f.in.room(i, f.room[i])
	}
	return setGRO(f.fd, f.spec.Coalesce)
}

func (f *far) serve(orders *bufio.Reader) error {
	for {
		if err := f.receive(); err != nil {
			return err
		}
		fds := []unix.PollFd{{Fd: int32(f.fd), Events: unix.POLLIN}, {Fd: 0, Events: unix.POLLIN}}
		n, err := unix.Poll(fds, f.patience())
		switch {
		case err != nil && err != unix.EINTR:
			return err
		case n == 0:
			err = f.quiet()
		case n > 0 && fds[1].Revents != 0:
			err = f.obey(orders)
		case n > 0:
			f.nap()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil && err != unix.EINTR {
			return err
		}
	}
}

// nap lets packets gather, where the spec says so: who sends one to a far side
// that waits for it pays for waking it.
func (f *far) nap() {
	if f.spec.Nap > 0 {
		sleepUntil(time.Now().Add(f.spec.Nap))
	}
}

// patience is how many milliseconds to wait for a packet; -1 is for ever.
func (f *far) patience() int {
	switch {
	case f.book.Next > f.acked:
		return int(creditQuiet / time.Millisecond)
	case f.report != 0:
		return int(reportQuiet / time.Millisecond)
	}
	return -1
}

// quiet is what is left to do when nothing comes.
func (f *far) quiet() error {
	if f.book.Next > f.acked {
		return f.credit()
	}
	return f.answer()
}

func (f *far) obey(orders *bufio.Reader) error {
	line, err := orders.ReadString('\n')
	if err != nil {
		return err
	}
	if strings.HasPrefix(line, "go") {
		return f.generate()
	}
	_, err = fmt.Sscanf(line, "report %d", &f.report)
	f.report = max(f.report, 1)
	return err
}

// answer writes the report, if one is asked for.
func (f *far) answer() error {
	if f.report == 0 {
		return nil
	}
	f.report = 0
	f.heard.Valid, f.heard.Bad, f.heard.Twice = f.book.Valid, f.book.Bad, f.book.Twice
	return json.NewEncoder(os.Stdout).Encode(f.heard)
}

// receive takes everything that is there.
func (f *far) receive() error {
	for {
		n, err := f.in.receive(f.fd, unix.MSG_DONTWAIT)
		if err == unix.EAGAIN {
			break
		}
		if err == unix.ECONNREFUSED {
			continue // the client has gone
		}
		if err != nil {
			return err
		}
		for i := range n {
			f.take(f.room[i][:f.in.length(i)], f.in.segment(i), i)
		}
		if f.book.Next >= f.acked+f.spec.Window/8 {
			if err := f.credit(); err != nil {
				return err
			}
		}
	}
	if f.report != 0 && f.book.total() >= f.report {
		return f.answer()
	}
	return nil
}

// take cuts a coalesced run into its datagrams.
func (f *far) take(b []byte, segment, slot int) {
	if segment == 0 {
		segment = max(1, len(b))
	}
	for len(b) > 0 {
		d := b[:min(segment, len(b))]
		b = b[len(d):]
		f.datagram(d, slot)
	}
}

func (f *far) datagram(d []byte, slot int) {
	if f.server == nil {
		f.payload(d, d, slot)
		return
	}
	if d[0]>>6 == 1 { // ChannelData: the first two bits are 01
		payload, ok := f.server.channelData(d)
		if !ok {
			f.book.Bad++
			return
		}
		f.payload(payload, d, slot)
		return
	}
	answer, indication := f.server.handle(d, f.in.source(slot))
	if indication != nil {
		if number, ok := numberOf(indication); !ok || number != hello {
			f.heard.Indications++
		}
	}
	if answer != nil {
		f.sendTo(answer, f.in.source(slot))
	}
}

// payload counts one, and sends it back where that is what it is for.
func (f *far) payload(payload, datagram []byte, slot int) {
	number, ok := f.book.take(payload)
	if !ok {
		return
	}
	if number == hello {
		f.connect(f.in.source(slot))
	}
	if number == hello || f.spec.Work == workPingPong {
		f.out.put(0, datagram, 0)
		_ = f.out.send(f.fd, 1) // lost: the client asks again, or the loss shows
	}
}

// connect makes the socket the client's alone: sends need no address then.
func (f *far) connect(client netip.AddrPort) {
	if f.client == client {
		return
	}
	if err := unix.Connect(f.fd, sockaddr(client)); err == nil {
		f.client = client
	}
}

func (f *far) sendTo(b []byte, to netip.AddrPort) {
	if f.client == to {
		_, _ = unix.Write(f.fd, b)
		return
	}
	_ = unix.Sendto(f.fd, b, 0, sockaddr(to))
}

// credit tells the client's gate how far this side has got.
func (f *far) credit() error {
	f.acked = f.book.Next
	if f.spec.receives() || f.spec.Work == workPingPong {
		return nil // nobody reads it
	}
	_, err := unix.Write(creditPipe, binary.BigEndian.AppendUint64(nil, f.acked))
	return err
}
