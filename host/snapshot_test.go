package host_test

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

var snapshotKey = bytes.Repeat([]byte{7}, host.SnapshotKeySize)

// One Runtime hands over to another, and back.
func TestHandOver(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		c := dial(t, rt, config(server.Addr()))
		if err := c.BindChannel(soon(t), echo.Addr()); err != nil {
			t.Fatal(err)
		}
		for _, other := range []*host.Runtime{newRuntime(t, host.Native), newRuntime(t, host.Wasm), rt} {
			before := c
			sealed, err := before.HandOver(snapshotKey)
			if err != nil {
				t.Fatal(err)
			}
			if closed := wantClosed(t, before, time.Second, client.HandedOver); closed.Until.IsZero() || before.Close() != nil {
				t.Errorf("the verdict is %+v, Close answers %v", closed, before.Close())
			}
			if _, err := before.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(echo.Addr())); !errors.Is(err, net.ErrClosed) {
				t.Errorf("WriteTo after it answers %v", err)
			}
			if _, err := before.Snapshot(snapshotKey); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Snapshot after it answers %v", err)
			}
			if c, err = other.Restore(soon(t), sealed, snapshotKey, host.Config{}); err != nil {
				t.Fatal(err)
			}
			wantRestored(t, c, before, echo)
		}
		wantHeld(t, server, 1)
		wantClosed(t, c, time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

func wantRestored(t *testing.T, c, before *host.Conn, echo *hosttest.Echo) {
	t.Helper()
	if c.Local() != before.Local() || !c.Relayed().IsValid() || c.Mapped() != c.Local() || c.Lifetime() != 10*time.Minute || c.Phase() != client.PhaseAllocated {
		t.Errorf("restored: local %v, want %v; relayed %v, mapped %v, lifetime %v, %v", c.Local(), before.Local(), c.Relayed(), c.Mapped(), c.Lifetime(), c.Phase())
	}
	wantEcho(t, c, echo.Addr(), "by the channel of before")
	if err := errors.Join(c.BindChannel(soon(t), echo.Addr()), c.CreatePermission(soon(t), echo.Addr().Addr()), c.Refresh(soon(t))); err != nil {
		t.Errorf("what is there already: %v", err)
	}
}

func TestSnapshotIsSealed(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		c := dial(t, rt, config(server.Addr()))
		sealed, err := c.Snapshot(snapshotKey)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := c.Snapshot(snapshotKey); err != nil || bytes.Equal(again, sealed) {
			t.Errorf("two snapshots are sealed alike (%v)", err)
		}
		for _, secret := range []string{hosttest.Password, hosttest.Username, server.Addr().Addr().String()} {
			if bytes.Contains(sealed, []byte(secret)) {
				t.Errorf("%q can be read in it", secret)
			}
		}
		refused := func(why string, sealed, key []byte) {
			t.Helper()
			if c, err := rt.Restore(soon(t), sealed, key, host.Config{}); !errors.Is(err, host.ErrSnapshot) {
				t.Errorf("%s: %v, %v", why, c, err)
			}
		}
		refused("another key", sealed, bytes.Repeat([]byte{8}, host.SnapshotKeySize))
		refused("a short key", sealed, snapshotKey[1:])
		refused("nothing", nil, snapshotKey)
		for n := range sealed {
			refused("cut short", sealed[:n], snapshotKey)
			changed := bytes.Clone(sealed)
			changed[n] ^= 1
			refused("changed", changed, snapshotKey)
		}
		if _, err := c.Snapshot(snapshotKey[1:]); !errors.Is(err, host.ErrSnapshot) {
			t.Errorf("sealed with a short key: %v", err)
		}
		if c, err := rt.Restore(soon(t), sealed, snapshotKey, host.Config{}); err == nil {
			t.Errorf("restored beside the one that goes on, on the same port: %v", c)
		}
		wantClosed(t, c, time.Second, client.Released)
	})
}

func TestWhatHasNoSnapshot(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		c := open(t, rt, config(server.Addr()))
		if _, err := c.HandOver(snapshotKey); !errors.Is(err, host.ErrSnapshot) {
			t.Errorf("before the allocation: %v", err)
		}
		if err := c.Allocate(soon(t)); err != nil {
			t.Errorf("a refused HandOver ends the Conn: %v", err)
		}
		wantClosed(t, c, time.Second, client.Released)
	})
}

// The allocation ends with its stream, whoever knows of it.
func TestAStreamHasNoSnapshot(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		hosttest.NeedPion(t, hosttest.PionOptions{Listeners: []net.Listener{listener}})
		cfg := config(listener.Addr().(*net.TCPAddr).AddrPort())
		cfg.URL += "?transport=tcp"
		c := dial(t, rt, cfg)
		if _, err := c.Snapshot(snapshotKey); !errors.Is(err, host.ErrSnapshot) {
			t.Errorf("over TCP: %v", err)
		}
		wantClosed(t, c, time.Second, client.Released)
	})
}

// Writers and readers are at it while it is handed over, ten times.
func TestHandOverUnderTraffic(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		c := dial(t, rt, config(server.Addr()))
		relayed := c.Relayed()
		for range 10 {
			var busy sync.WaitGroup
			through := make(chan struct{}, 1)
			for range 3 {
				busy.Go(func() {
					for err := error(nil); err == nil; {
						_, err = c.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(echo.Addr()))
					}
				})
			}
			busy.Go(func() {
				buf := make([]byte, 100)
				for {
					if _, _, err := c.ReadFrom(buf); err != nil {
						return
					}
					select {
					case through <- struct{}{}:
					default:
					}
				}
			})
			<-through
			sealed, err := c.HandOver(snapshotKey)
			if err != nil {
				t.Fatal(err)
			}
			busy.Wait()
			if c, err = rt.Restore(soon(t), sealed, snapshotKey, host.Config{}); err != nil {
				t.Fatal(err)
			}
		}
		if c.Relayed() != relayed {
			t.Errorf("relayed %v, before %v", c.Relayed(), relayed)
		}
		if _, err := echoMany(c, echo.Addr(), 10); err != nil {
			t.Error(err)
		}
		wantClosed(t, c, time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}
