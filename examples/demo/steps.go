package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func (d *demo) config(local netip.AddrPort) host.Config {
	cfg := host.Config{
		URL: "turn:" + d.proxy.Addr().String(), Username: hosttest.Username, Password: hosttest.Password,
	}
	if local.IsValid() {
		cfg.LocalAddr = local.String()
	}
	return cfg
}

func (d *demo) allocate(ctx context.Context) error {
	begin := time.Now()
	conn, err := d.rt.Dial(ctx, d.config(netip.AddrPort{}))
	if err != nil {
		return err
	}
	d.conn = conn
	took := time.Since(begin)
	success, err := d.wire("Allocate success", hosttest.IsAllocateSuccess)
	if err != nil {
		return err
	}
	if success.Relayed != conn.Relayed() {
		return fmt.Errorf("the server gave %s, the client says %s", success.Relayed, conn.Relayed())
	}
	if err := d.wantHeld(1); err != nil {
		return err
	}
	d.tell("allocated", "%s for %d s in %.1f ms; the server holds 1", success.Relayed, success.Lifetime, ms(took))
	return nil
}

func (d *demo) echoByPermission(context.Context) error {
	return d.echo("permission", "Send indication", "Data indication",
		func(p hosttest.Passage) bool { return p.ToServer && p.Type == hosttest.SendIndication },
		func(p hosttest.Passage) bool { return !p.ToServer && p.Type == hosttest.DataIndication })
}

func (d *demo) echoByChannel(ctx context.Context) error {
	if err := d.conn.BindChannel(ctx, d.peer.Addr()); err != nil {
		return err
	}
	return d.echo("channel", "ChannelData", "ChannelData back",
		func(p hosttest.Passage) bool { return p.ToServer && p.Channel != 0 },
		func(p hosttest.Passage) bool { return !p.ToServer && p.Channel != 0 })
}

// echo sends a payload to the peer and reads it back; there and back are what
// must have come by on the wire meanwhile.
func (d *demo) echo(name, there, back string, isThere, isBack hosttest.Match) error {
	text := "hello by " + name
	begin := time.Now()
	if _, err := d.conn.WriteTo([]byte(text), net.UDPAddrFromAddrPort(d.peer.Addr())); err != nil {
		return err
	}
	if err := d.conn.SetReadDeadline(begin.Add(3 * time.Second)); err != nil {
		return err
	}
	buf := make([]byte, 1500)
	n, from, err := d.conn.ReadFrom(buf)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	if string(buf[:n]) != text || from.String() != d.peer.Addr().String() {
		return fmt.Errorf("the echo is %q from %s", buf[:n], from)
	}
	out, err := d.wire(there, isThere)
	if err != nil {
		return err
	}
	in, err := d.wire(back, isBack)
	if err != nil {
		return err
	}
	overhead := len(out.Data) - len(text)
	d.tell("echoed", "by %s: %d bytes as a %s of %d (%d of header), %d back, %.1f ms", name,
		len(text), there, len(out.Data), overhead, len(in.Data), ms(took))
	return nil
}

func (d *demo) refresh(ctx context.Context) error {
	if err := d.conn.Refresh(ctx); err != nil {
		return err
	}
	answer, err := d.wire("Refresh success", hosttest.IsRefreshAnswer)
	if err != nil {
		return err
	}
	d.tell("refreshed", "for %d s", answer.Lifetime)
	return nil
}

// withoutRelease is what a client does that just closes its socket.
func (d *demo) withoutRelease(ctx context.Context) error {
	first, err := hosttest.DialRaw(netip.AddrPort{}, d.proxy.Addr())
	if err != nil {
		return err
	}
	_, err = first.Allocate(ctx)
	first.Close()
	if err != nil {
		return err
	}
	again, err := hosttest.DialRaw(first.Local(), d.proxy.Addr())
	if err != nil {
		return err
	}
	defer again.Close()
	answer, err := again.Allocate(ctx)
	if err != nil {
		return err
	}
	if answer.Code != 437 {
		return fmt.Errorf("the port of a client that did not release earned %v, not 437", answer)
	}
	if err := d.wantHeld(2); err != nil {
		return err
	}
	d.tell("without", "a release: port %d earns %s; the server still holds that allocation", first.Local().Port(), answer)
	return nil
}

func (d *demo) withRelease(ctx context.Context) error {
	begin := time.Now()
	closed, err := d.conn.CloseWith(ctx, 2*time.Second)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	if closed.Outcome != client.Released {
		return fmt.Errorf("close: %s: %s", closed.Outcome, closed.Reason)
	}
	if _, err := d.wire("release", hosttest.IsRelease); err != nil {
		return err
	}
	if err := d.wantHeld(1); err != nil {
		return err
	}
	d.tell("with", "our close: %s in %.1f ms; the server holds 1: the one left behind above", closed.Outcome, ms(took))
	return rest(ctx, closed.ReuseAfter)
}

// rest leaves the port alone for as long as the close said.
func rest(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *demo) allocateAgain(ctx context.Context) error {
	local := d.conn.Local()
	conn, err := d.rt.Dial(ctx, d.config(local))
	if err != nil {
		return err
	}
	success, err := d.wire("Allocate success", hosttest.IsAllocateSuccess)
	if err != nil {
		return err
	}
	for _, r := range d.proxy.Log()[d.seen:] {
		if r.Code == 437 {
			return fmt.Errorf("port %d earned %s", local.Port(), r)
		}
	}
	if conn.Local() != local {
		return fmt.Errorf("the second allocation is on %s, not on %s", conn.Local(), local)
	}
	d.tell("again", "from the same port %d: %s, no 437", local.Port(), success.Relayed)
	if err := conn.Close(); err != nil {
		return err
	}
	return d.wantHeld(1)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
