package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/turnwasm/turnwasm/host"
)

// echoTCP sends payloads over a connection through the relay, each when the one
// before is back: to the peer that was named, or, without one, from this machine
// to the relayed address, where what comes is echoed.
func (c *checker) echoTCP(ctx context.Context, conn *host.Conn) error {
	stream, done, err := c.connectTCP(ctx, conn)
	if err != nil {
		return interrupted(ctx, err)
	}
	defer done()
	defer context.AfterFunc(ctx, func() { _ = stream.SetDeadline(time.Now()) })()
	rtts, err := c.pingPong(stream)
	c.out.echoed(c.n, rtts)
	return interrupted(ctx, err)
}

func (c *checker) connectTCP(ctx context.Context, conn *host.Conn) (stream net.Conn, done func(), err error) {
	if c.peer.IsValid() {
		stream, err = conn.DialTCP(ctx, c.peer)
		return stream, func() { _ = stream.Close() }, err
	}
	if err := conn.CreatePermission(ctx, conn.Mapped().Addr()); err != nil {
		return nil, nil, err
	}
	l, err := conn.ListenTCP()
	if err != nil {
		return nil, nil, err
	}
	echoing := make(chan struct{})
	go func() {
		defer close(echoing)
		echoOne(l)
	}()
	var d net.Dialer
	stream, err = d.DialContext(ctx, "tcp", conn.Relayed().String())
	done = func() {
		if stream != nil {
			_ = stream.Close()
		}
		_ = l.Close()
		<-echoing
	}
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("the relay cannot be reached from this machine: name a peer with -peer: %w", err)
	}
	return stream, done, nil
}

// echoOne echoes what the first one who connects sends.
func echoOne(l net.Listener) {
	in, err := l.Accept()
	if err != nil {
		return
	}
	_, _ = io.Copy(in, in)
	_ = in.Close()
}

// pingPong answers the round trips.
func (c *checker) pingPong(stream net.Conn) (rtts []time.Duration, err error) {
	payload, back := make([]byte, c.size), make([]byte, c.size)
	begin, every := time.Now(), time.Duration(float64(time.Second)/c.rate)
	for i := range c.n {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * every)))
		binary.BigEndian.PutUint64(payload, rand.Uint64())
		sent := time.Now()
		_ = stream.SetDeadline(sent.Add(tcpPatience))
		if _, err := stream.Write(payload); err != nil {
			return rtts, err
		}
		if _, err := io.ReadFull(stream, back); err != nil {
			return rtts, err
		}
		if !bytes.Equal(back, payload) {
			return rtts, errors.New("the echo is another than what was sent")
		}
		rtts = append(rtts, time.Since(sent))
		c.out.progress(i+1, len(rtts), c.n)
	}
	return rtts, nil
}

// tcpPatience is for one payload: nothing is lost, so one that does not come back
// is the end.
const tcpPatience = 10 * time.Second
