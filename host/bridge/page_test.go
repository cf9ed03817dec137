package bridge

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/webtransport-go"
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// browser opens pages from one UDP socket.
type browser struct {
	transport *quic.Transport
	origin    string
}

const pageOrigin = "https://page.test"

func (b *browser) quicConfig() *quic.Config {
	return &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true, MaxIdleTimeout: time.Minute}
}

// connect is the QUIC handshake alone.
func (b *browser) connect(ctx context.Context, at netip.AddrPort) (*quic.Conn, error) {
	return b.transport.Dial(ctx, netUDP(at), &tls.Config{
		InsecureSkipVerify: true, ServerName: "localhost", NextProtos: []string{"h3"},
	}, b.quicConfig())
}

// page is a session and the machine that uses it.
type page struct {
	quic    *quic.Conn
	client  *webtransport.ClientConn
	url     string
	session *webtransport.Session
	status  int // of the CONNECT

	streams map[byte]*webtransport.Stream
	welcome map[string]any
	frames  chan frame // from the bridge, after the WELCOME

	commands chan func()
	inputs   chan []byte
	events   chan client.Event
	machine  *client.Client
	started  time.Time
	deposits bool // as the contract says
	tasks    sync.WaitGroup
	big      sync.Mutex // of the packet stream
}

type frame struct {
	kind  byte
	value []byte
}

// dial opens a session. query is what follows the path; a refusal by status is
// an error, and the page says which.
func (b *browser) dial(ctx context.Context, at netip.AddrPort, query string, header http.Header) (*page, error) {
	qc, err := b.connect(ctx, at)
	if err != nil {
		return nil, err
	}
	p := &page{quic: qc, streams: map[byte]*webtransport.Stream{}, frames: make(chan frame, 64)}
	if p.client, err = new(webtransport.Transport).NewClientConn(qc); err != nil {
		return nil, err
	}
	if header == nil {
		header = http.Header{"Origin": {b.origin}}
	}
	p.url = "https://" + at.String()
	p.status, p.session, err = p.connect(ctx, query, header)
	return p, err
}

func (p *page) connect(ctx context.Context, query string, header http.Header) (status int, s *webtransport.Session, err error) {
	rsp, s, err := p.client.Dial(ctx, p.url+query, header)
	if rsp != nil {
		status = rsp.StatusCode
	}
	return status, s, err
}

// greet takes the bridge's streams and its WELCOME.
func (p *page) greet(ctx context.Context) error {
	for range 2 {
		s, err := p.session.AcceptStream(ctx)
		if err != nil {
			return err
		}
		var name [1]byte
		if _, err := io.ReadFull(s, name[:]); err != nil {
			return err
		}
		p.streams[name[0]] = s
	}
	if p.streams[streamControl] == nil || p.streams[streamPackets] == nil {
		return fmt.Errorf("the streams are %v", p.streams)
	}
	kind, value, err := readControl(p.streams[streamControl], make([]byte, 65535))
	if err != nil || kind != frameWelcome {
		return fmt.Errorf("want WELCOME, got %d, %w", kind, err)
	}
	return json.Unmarshal(value, &p.welcome)
}

// run gives the page a machine and reads until the session is over.
func (p *page) run() error {
	server, err := netip.ParseAddrPort(p.welcome["server"].(string))
	if err != nil {
		return err
	}
	p.machine, err = client.New(client.Config{
		Server: server, Username: []byte(hosttest.Username), Password: []byte(hosttest.Password),
		AutoPermission: true, Rand: rand.Reader,
	})
	p.commands, p.inputs = make(chan func()), make(chan []byte, 64)
	p.events = make(chan client.Event, 256)
	p.started, p.deposits = time.Now(), true
	p.tasks.Go(p.readFrames)
	p.tasks.Go(p.readDatagrams)
	p.tasks.Go(p.readPackets)
	p.tasks.Go(p.loop)
	return err
}

func (p *page) now() time.Duration { return time.Since(p.started) }

func (p *page) readFrames() {
	defer close(p.frames)
	for {
		kind, value, err := readControl(p.streams[streamControl], make([]byte, 65535))
		if err != nil {
			return
		}
		p.frames <- frame{kind, value}
	}
}

func (p *page) readDatagrams() {
	for {
		b, err := p.session.ReceiveDatagram(context.Background())
		if err != nil {
			return
		}
		p.input(b)
	}
}

func (p *page) readPackets() {
	for {
		b, err := readPacket(p.streams[streamPackets], nil)
		if err != nil {
			return
		}
		p.input(b)
	}
}

func (p *page) input(b []byte) {
	select {
	case p.inputs <- b:
	case <-p.session.Context().Done():
	}
}

// loop is what a host does: the machine is driven here alone.
func (p *page) loop() {
	for p.session.Context().Err() == nil {
		p.drain()
		wait := time.Hour
		if at, ok := p.machine.PollTimeout(); ok {
			wait = max(0, at-p.now())
		}
		timer := time.NewTimer(wait)
		select {
		case command := <-p.commands:
			command()
		case b := <-p.inputs:
			p.machine.HandleInput(p.now(), 0, netip.AddrPort{}, b)
		case <-timer.C:
			p.machine.HandleTimeout(p.now())
		case <-p.session.Context().Done():
		}
		timer.Stop()
	}
	close(p.events)
}

func (p *page) drain() {
	for t, ok := p.machine.PollTransmit(); ok; t, ok = p.machine.PollTransmit() {
		p.send(t.Data)
	}
	for e, ok := p.machine.PollEvent(); ok; e, ok = p.machine.PollEvent() {
		if e.Kind == client.PartingChanged {
			p.depositParting()
			continue
		}
		e.Data = append([]byte(nil), e.Data...)
		select {
		case p.events <- e:
		default: // nobody reads them
		}
	}
}

// send is for packets of any size.
func (p *page) send(b []byte) {
	var tooLarge *quic.DatagramTooLargeError
	if err := p.session.SendDatagram(b); errors.As(err, &tooLarge) {
		p.stream(b)
	}
}

func (p *page) stream(b []byte) {
	p.big.Lock()
	defer p.big.Unlock()
	_, _ = p.streams[streamPackets].Write(packetFrame(b))
}

func (p *page) depositParting() {
	if !p.deposits {
		return
	}
	t, until, ok := p.machine.Parting(p.now(), nil)
	if !ok {
		p.deposit(0, nil)
		return
	}
	p.deposit(until-p.now(), t.Data)
}

func (p *page) deposit(hold time.Duration, data []byte) {
	var value []byte
	if data != nil {
		value = append(binary.BigEndian.AppendUint32(nil, uint32(hold.Milliseconds())), data...)
	}
	_, _ = p.streams[streamControl].Write(controlFrame(frameDeposit, value))
}

// do runs a command of the machine's in its loop, and waits for it.
func (p *page) do(command func()) {
	done := make(chan struct{})
	select {
	case p.commands <- func() { command(); close(done) }:
		<-done
	case <-p.session.Context().Done():
	}
}

// await is the next event of the kind; others are skipped.
func (p *page) await(ctx context.Context, kind client.EventKind) (client.Event, error) {
	for {
		select {
		case e, ok := <-p.events:
			if !ok {
				return e, fmt.Errorf("the session ended before %v: %w", kind, p.end())
			}
			if e.Kind == kind {
				return e, nil
			}
		case <-ctx.Done():
			return client.Event{}, fmt.Errorf("no %v: %w", kind, ctx.Err())
		}
	}
}

// awaitFrame is the next frame of the kind; others are skipped.
func (p *page) awaitFrame(ctx context.Context, kind byte) (frame, error) {
	for {
		select {
		case f, ok := <-p.frames:
			if !ok {
				return f, fmt.Errorf("the session ended before frame %d: %w", kind, p.end())
			}
			if f.kind == kind {
				return f, nil
			}
		case <-ctx.Done():
			return frame{}, fmt.Errorf("no frame %d: %w", kind, ctx.Err())
		}
	}
}

// allocate returns when the allocation stands and its parting lies deposited.
func (p *page) allocate(ctx context.Context) (relayed netip.AddrPort, err error) {
	p.do(func() { err = p.machine.Allocate(p.now()) })
	if err != nil {
		return relayed, err
	}
	e, err := p.await(ctx, client.Allocated)
	return e.Relayed, err
}

// settle returns when the bridge has answered every deposit so far: an unknown
// Refresh is refused, in order.
func (p *page) settle(ctx context.Context) error {
	p.deposit(0, []byte("marker"))
	_, err := p.awaitFrame(ctx, frameDepositRefused)
	return err
}

// end is the bridge's word why the session is over.
func (p *page) end() error {
	for {
		if _, err := p.session.AcceptStream(context.Background()); err != nil {
			return err
		}
	}
}

// release closes the allocation, and the session after it.
func (p *page) release(ctx context.Context) (client.Outcome, error) {
	p.do(func() { p.machine.Close(p.now(), 5*time.Second) })
	e, err := p.await(ctx, client.Closed)
	if err == nil {
		err = p.settle(ctx) // the withdrawal has arrived
	}
	p.close()
	return e.Outcome, err
}

// close closes the session as a page does.
func (p *page) close() {
	_ = p.session.CloseWithError(0, "")
	p.die()
}

// die ends the connection without a word to the session.
func (p *page) die() {
	_ = p.quic.CloseWithError(0x1, "")
	p.tasks.Wait()
}
