package client_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// A smaller now than before is taken as the one before, whatever the call: the
// deadlines that follow count from the machine's own time.
func TestI03TimeDoesNotGoBack(t *testing.T) {
	for name, c := range map[string]struct {
		phase client.Phase
		call  func(r *rig, now time.Duration) error
		wake  time.Duration // from the machine's time; what the call starts waits so long
	}{
		"Allocate":         {client.PhaseNew, func(r *rig, now time.Duration) error { return r.Allocate(now) }, 500 * time.Millisecond},
		"Refresh":          {client.PhaseAllocated, func(r *rig, now time.Duration) error { return r.Refresh(now) }, 500 * time.Millisecond},
		"CreatePermission": {client.PhaseAllocated, func(r *rig, now time.Duration) error { return r.CreatePermission(now, rigPeer.Addr()) }, 500 * time.Millisecond},
		"BindChannel":      {client.PhaseAllocated, func(r *rig, now time.Duration) error { return r.BindChannel(now, rigPeer) }, 500 * time.Millisecond},
		"Close":            {client.PhaseAllocated, func(r *rig, now time.Duration) error { r.Close(now, time.Minute); return nil }, 500 * time.Millisecond},
	} {
		r := newRig(t).reach(c.phase)
		r.HandleTimeout(r.now)
		if err := c.call(r, r.now-30*time.Minute); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r.drain()
		if at, ok := r.PollTimeout(); !ok || at != r.now+c.wake {
			t.Errorf("%s half an hour ago: the next deadline is %v from now, want %v", name, at-r.now, c.wake)
		}
	}
}

// FlowClosed starts nothing; its Closed counts from the machine's time.
func TestI03FlowClosedInThePast(t *testing.T) {
	r := newRig(t).reach(client.PhaseClosing)
	r.HandleTimeout(r.now)
	r.FlowClosed(r.now-30*time.Minute, 0)
	r.drain()
	if e := r.one(client.Closed); e.ReuseAfter != e.Until-r.now {
		t.Errorf("reuse after %v, want %v", e.ReuseAfter, e.Until-r.now)
	}
}

// What waited for other credentials goes on at the machine's time.
func TestI03CredentialsOfThePast(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.must(r.Refresh)
	r.challenge(401, "n2")
	r.advance(5 * time.Second)
	r.one(client.CredentialsExpired)
	r.HandleTimeout(r.now)
	if err := r.SetCredentials(r.now-30*time.Minute, []byte("alice"), []byte("secret")); err != nil {
		t.Fatal(err)
	}
	r.drain()
	if len(r.sent) != 1 {
		t.Fatalf("sent %d datagrams, want the Refresh", len(r.sent))
	}
	if at, _ := r.PollTimeout(); at != r.now+500*time.Millisecond {
		t.Errorf("its resend is %v from now", at-r.now)
	}
}

// An IPv4 address in an IPv6 coat is the IPv4 address.
func TestP01MappedAddresses(t *testing.T) {
	coat := netip.AddrPortFrom(netip.AddrFrom16(rigPeer.Addr().As16()), rigPeer.Port())
	r := newRig(t).reach(client.PhaseAllocated)
	r.bind(coat)
	if e := r.one(client.ChannelBound); e.Peer != rigPeer {
		t.Errorf("bound to %v, want %v", e.Peer, rigPeer)
	}
	r.must(func(now time.Duration) error { return r.Send(now, coat, []byte("x")) })
	if len(r.sent) != 1 || len(r.sent[0]) != 5 {
		t.Errorf("sent %x, want one ChannelData of one byte", r.sent)
	}
	if way, ok := r.LaneTo(r.now, coat); !ok || way.Peer != rigPeer {
		t.Errorf("the lane to %v leads to %v, %v", coat, way.Peer, ok)
	}
	r.must(func(now time.Duration) error { return r.UnbindChannel(now, coat) })
}

// After silence the permission can be asked for anew.
func TestP04UnansweredPermissionIsAskedForAnew(t *testing.T) {
	r := newRig(t, func(cfg *client.Config) { cfg.Rc, cfg.Rm = 1, 1 }).reach(client.PhaseAllocated)
	ask := func(now time.Duration) error { return r.CreatePermission(now, rigPeer.Addr()) }
	r.must(ask)
	r.advance(time.Second)
	r.one(client.PermissionFailed)
	r.must(ask)
	if len(r.sent) != 1 {
		t.Fatalf("sent %d datagrams, want a CreatePermission", len(r.sent))
	}
	r.success(nil)
	r.one(client.PermissionCreated)
}
