package bridge

import (
	"context"
	"encoding/binary"
	"net/http"
	"testing"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

func TestWhatIsNotTheProtocolEndsTheSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(*page) error
		code Code
	}{
		"a stream of the page's own": {func(p *page) error {
			s, err := p.session.OpenStreamSync(context.Background())
			if err == nil {
				_, err = s.Write([]byte("hello"))
			}
			return err
		}, CodeProtocol},
		"a unidirectional one": {func(p *page) error {
			s, err := p.session.OpenUniStreamSync(context.Background())
			if err == nil {
				_, err = s.Write([]byte("hello"))
			}
			return err
		}, CodeProtocol},
		"a control frame that is too large": {func(p *page) error {
			b := binary.BigEndian.AppendUint16([]byte{frameDeposit}, maxControl+1)
			_, err := p.streams[streamControl].Write(b)
			return err
		}, CodeTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			server := hosttest.NeedPion(t, hosttest.PionOptions{})
			r, b := newRig(t, nil, server.Addr()), newBrowser(t)
			p, other := r.allocated(b, server.Addr()), r.allocated(b, server.Addr())
			if err := c.do(p); err != nil {
				t.Fatal(err)
			}
			wantEnd(t, p, c.code)
			r.wantMetric(1, "sessions_ended_total", "reason", c.code.String())
			wantHeld(t, server, 1)
			if err := other.settle(soon(t)); err != nil {
				t.Errorf("a session was disturbed: %v", err)
			}
		})
	}
}

func TestAClosedStreamClosesTheSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*page){
		"control stream ended":     func(p *page) { p.streams[streamControl].Close() },
		"control stream reset":     func(p *page) { p.streams[streamControl].CancelWrite(7) },
		"packet stream ended":      func(p *page) { p.streams[streamPackets].Close() },
		"in the middle of a frame": func(p *page) { p.streams[streamPackets].Write([]byte{1}); p.streams[streamPackets].Close() },
	} {
		t.Run(name, func(t *testing.T) {
			server := hosttest.NeedPion(t, hosttest.PionOptions{})
			r := newRig(t, nil, server.Addr())
			end(r.allocated(newBrowser(t), server.Addr()))
			r.wantMetric(1, "sessions_ended_total", "reason", "closed")
			wantHeld(t, server, 0)
		})
	}
}

func TestUnknownControlFramesAreSkipped(t *testing.T) {
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	r := newRig(t, nil, server.Addr())
	p := r.open(newBrowser(t), server.Addr())
	for _, kind := range []byte{0, 2, 77, 255} {
		if _, err := p.streams[streamControl].Write(controlFrame(kind, make([]byte, 100))); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.settle(soon(t)); err != nil {
		t.Error(err)
	}
}

func TestAConnectionCarriesOneSession(t *testing.T) {
	r, b := newRig(t, nil, elsewhere), newBrowser(t)
	p, err := b.dial(soon(t), r.at, Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.die()
	status, _, err := p.connect(soon(t), Path, http.Header{"Origin": {pageOrigin}})
	if err == nil || status != http.StatusMisdirectedRequest {
		t.Errorf("the second session: status %d, %v, want 421", status, err)
	}
	r.wantMetric(1, "refused_total", "reason", "second_session")
	if err := p.greet(soon(t)); err != nil {
		t.Errorf("the first was disturbed: %v", err)
	}
}

// TestAFaultEndsOneSession: a panic is planted in one of the session's tasks.
func TestAFaultEndsOneSession(t *testing.T) {
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	r, b := newRig(t, nil, server.Addr()), newBrowser(t)
	p := r.allocated(b, server.Addr())
	r.mu.Lock()
	for s := range r.sessions {
		go s.guarded(func() { panic("planted") })()
	}
	r.mu.Unlock()
	other := r.allocated(b, server.Addr())
	wantEnd(t, p, CodeInternal)
	wantHeld(t, server, 1)
	if err := other.settle(soon(t)); err != nil {
		t.Errorf("a session was disturbed: %v", err)
	}
}
