package client_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// I12: every script comes to the same, byte for byte, when its clients are
// snapshotted, freed and restored before each of its steps. Their time begins
// elsewhere each time.
func TestI12NobodySeesThatAClientWasRestored(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	restored := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := new(turntest.SnapshotDriver)
		got, err := turntest.RunScript(string(text), d)
		restored += d.Restored
		if err != nil || d.Fault != nil {
			t.Errorf("%s: %v, %v", file, err, d.Fault)
			continue
		}
		if diff := turntest.DiffScript(strings.TrimRight(string(text), "\n"), strings.TrimRight(got, "\n")); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
	if restored < 800 {
		t.Errorf("only %d clients were restored", restored)
	}
	t.Logf("%d times", restored)
}

// many is a client with something of everything that a snapshot holds.
func many(t testing.TB) (c *client.Client, now time.Duration) {
	c, err := client.New(client.Config{
		Server: rigServer, Username: []byte("alice"), Password: []byte("secret"), Software: "turnwasm",
		Family: client.FamilyBoth, Keepalive: time.Minute, AutoPermission: true, Mobility: true, Rand: rand.NewChaCha8([32]byte{7}),
	})
	if err != nil {
		t.Fatal(err)
	}
	now = time.Minute
	last := func() (m *turntest.Message) {
		for x, ok := c.PollTransmit(); ok; x, ok = c.PollTransmit() {
			if d, err := turntest.Decode(x.Data); err == nil && d.Class == turntest.Request {
				m = d
			}
		}
		for _, ok := c.PollEvent(); ok; _, ok = c.PollEvent() {
			continue
		}
		return m
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.Allocate(now))
	c.HandleInput(now, 0, rigServer, turntest.Build(turntest.MethodAllocate, turntest.Failure, last().ID).Error(401, "").
		Text(turntest.AttrRealm, "example.org").Text(turntest.AttrNonce, "obMatJos2wAAAn1").
		Bytes(turntest.AttrPasswordAlgorithms, []byte{0, 2, 0, 0}).Datagram())
	allocate := last()
	c.HandleInput(now, 0, rigServer, turntest.Build(turntest.MethodAllocate, turntest.Success, allocate.ID).
		Lifetime(10*time.Minute).Address(turntest.AttrXORRelayedAddress, rigRelayed).Address(turntest.AttrXORMappedAddress, rigPeer).
		Text(turntest.AttrMobilityTicket, "ticket").Integrity256(allocate.KeyOf("alice", "secret")).Datagram())
	last()
	if c.Phase() != client.PhaseAllocated {
		t.Fatalf("phase %v", c.Phase())
	}
	now += 100 * time.Millisecond
	for _, peer := range manyPorts(12) {
		must(c.BindChannel(now, peer))
	}
	must(c.CreatePermission(now, manyAddrs(60)...))
	must(c.Send(now, netip.MustParseAddrPort("203.0.113.5:5"), []byte("waits")))
	must(c.Refresh(now))
	refused := last()
	c.HandleInput(now, 0, rigServer, turntest.Build(refused.Method, turntest.Failure, refused.ID).Error(403, "held").Datagram())
	must(c.SetCredentials(now, []byte("alice"), []byte("another")))
	last()
	return c, now
}

// drive does with a client, whatever it is, what hosts do, to its end.
func drive(t testing.TB, c *client.Client, now time.Duration) {
	drain := func() {
		for n := 0; ; n++ {
			_, sent := c.PollTransmit()
			_, told := c.PollEvent()
			if !sent && !told {
				return
			}
			if n > 100_000 {
				t.Fatal("the drain does not end")
			}
		}
	}
	drain()
	for range 20 {
		at, ok := c.PollTimeout()
		if !ok || c.TimeoutReason() == "" {
			break
		}
		now = max(now, at)
		c.HandleTimeout(now)
		drain()
	}
	_ = c.Send(now, rigPeer, []byte("x"))
	_ = c.BindChannel(now, rigPeer)
	_ = c.CreatePermission(now, rigPeer.Addr())
	_, _, _ = c.Parting(now, nil)
	drain()
	_ = c.Rebind(now)
	drain()
	c.FlowOpened(now, 1)
	drain()
	c.Close(now, time.Second)
	drain()
	c.HandleTimeout(now + time.Minute)
	drain()
	if c.Phase() != client.PhaseClosed {
		t.Errorf("after a Close and a minute it is in phase %v", c.Phase())
	}
}

func snapshotOf(t testing.TB, c *client.Client, now time.Duration) []byte {
	t.Helper()
	b, err := c.Snapshot(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A snapshot of what was restored from it is the same, byte for byte.
func TestI12TheSnapshotOfARestoredClientIsTheSame(t *testing.T) {
	c, now := many(t)
	first := snapshotOf(t, c, now)
	again, err := client.Restore(time.Hour, 0, first, rand.NewChaCha8([32]byte{}))
	if err != nil {
		t.Fatal(err)
	}
	if second := snapshotOf(t, again, time.Hour); !bytes.Equal(first, second) {
		t.Errorf("a snapshot of %d bytes becomes one of %d", len(first), len(second))
	}
	if c.Stats() != again.Stats() || c.RTO() != again.RTO() || c.Relayed() != again.Relayed() || c.Additional() != again.Additional() ||
		c.Mapped() != again.Mapped() || c.Lifetime() != again.Lifetime() || c.TimeoutReason() != again.TimeoutReason() {
		t.Errorf("what can be seen of it has changed")
	}
	if b, err := c.Snapshot(now, make([]byte, 3, 3+len(first))); err != nil || !bytes.Equal(b[3:], first) || cap(b) != 3+len(first) {
		t.Errorf("into a buffer that has room: %d bytes, %v", len(b), err)
	}
	drive(t, again, time.Hour)
	drive(t, c, now)
}

// What became due while nobody was there is done by Restore.
func TestI12TimeWentOn(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	b := snapshotOf(t, r.Client, r.now)
	for elapsed, want := range map[time.Duration]string{
		-time.Hour: "", 0: "", 8 * time.Minute: "", 9 * time.Minute: "Refresh", 10 * time.Minute: "AllocationLost", math.MaxInt64: "AllocationLost",
	} {
		again, err := client.Restore(time.Second, elapsed, b, rand.NewChaCha8([32]byte{}))
		if err != nil {
			t.Errorf("after %v: %v", elapsed, err)
			continue
		}
		got := ""
		if x, ok := again.PollTransmit(); ok {
			m, err := turntest.Decode(x.Data)
			if err != nil {
				t.Fatal(err)
			}
			got = m.Method.String()
		}
		if again.Phase() == client.PhaseNew {
			got = "AllocationLost"
		}
		if at, ok := again.PollTimeout(); got != want || ok && at <= time.Second {
			t.Errorf("after %v: %q, want %q; the next deadline is at %v", elapsed, got, want, at)
		}
	}
}

func TestI12WhenThereIsNone(t *testing.T) {
	for _, p := range everyPhase {
		r := newRig(t).reach(p)
		_, err := r.Snapshot(r.now, nil)
		if errors.Is(err, client.ErrSnapshot) == (p == client.PhaseAllocated) {
			t.Errorf("in phase %v: %v", p, err)
		}
	}
	r := newRig(t).reach(client.PhaseAllocated)
	if err := r.Refresh(r.now); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Snapshot(r.now, nil); !errors.Is(err, client.ErrSnapshot) {
		t.Errorf("before the drain: %v", err)
	}
	r = newRig(t, func(cfg *client.Config) { cfg.Secured = true }).reach(client.PhaseAllocated)
	if _, err := r.Snapshot(r.now, nil); !errors.Is(err, client.ErrSnapshot) {
		t.Errorf("over DTLS: %v", err)
	}
}

// Whatever is cut off or changed, it is a client or ErrSnapshot.
func TestI12BytesAreAnybodys(t *testing.T) {
	c, now := many(t)
	whole := snapshotOf(t, c, now)
	try := func(b []byte) (ok bool) {
		again, err := client.Restore(now, 0, b, rand.NewChaCha8([32]byte{}))
		if err == nil {
			drive(t, again, now)
		} else if !errors.Is(err, client.ErrSnapshot) {
			t.Fatal(err)
		}
		return err == nil
	}
	for n := range whole {
		if try(whole[:n]) {
			t.Errorf("the first %d of %d bytes are taken for all", n, len(whole))
		}
		for _, x := range []byte{1, 0x80, 0xff} {
			b := bytes.Clone(whole)
			b[n] ^= x
			try(b)
		}
	}
	if try(append(bytes.Clone(whole), 0)) {
		t.Error("a byte too many is not noticed")
	}
	if try(nil) || try(make([]byte, 1<<20)) {
		t.Error("zeros are a client")
	}
	if _, err := client.Restore(now, 0, whole, nil); !errors.Is(err, client.ErrSnapshot) {
		t.Errorf("without Rand: %v", err)
	}
}

func FuzzRestore(f *testing.F) {
	c, now := many(f)
	f.Add(snapshotOf(f, c, now), int64(0))
	f.Add(snapshotOf(f, c, now), int64(5*time.Minute))
	f.Fuzz(func(t *testing.T, b []byte, elapsed int64) {
		again, err := client.Restore(now, time.Duration(elapsed), b, rand.NewChaCha8([32]byte{}))
		switch {
		case err == nil:
			drive(t, again, now)
		case !errors.Is(err, client.ErrSnapshot):
			t.Fatal(err)
		}
	})
}
