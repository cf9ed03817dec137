package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Allocate asks for the allocation and waits for it. When the context ends the
// request goes on; Close takes back whatever comes of it.
func (c *Conn) Allocate(ctx context.Context) error {
	if err := c.rt.resting.check(time.Now(), c.server); err != nil && !c.settings.Impatient {
		return err
	}
	return c.ask(ctx, abi.Command{Cmd: abi.CmdAllocate}, func() []*waiter {
		c.started = true
		return []*waiter{c.waiters.add(wantAllocation, netip.AddrPort{})}
	})
}

// Refresh refreshes the allocation now, beside the refreshes that happen by
// themselves, and waits for the answer.
func (c *Conn) Refresh(ctx context.Context) error {
	return c.ask(ctx, abi.Command{Cmd: abi.CmdRefresh}, func() []*waiter {
		return []*waiter{c.waiters.add(wantRefresh, netip.AddrPort{})}
	})
}

// CreatePermission lets the peers send to the relayed address, and waits until
// the server has agreed. The permissions are kept until RemovePermission. Each
// peer that is refused is a *RequestError; they are joined.
func (c *Conn) CreatePermission(ctx context.Context, peers ...netip.Addr) error {
	cmd := abi.Command{Cmd: abi.CmdCreatePermission}
	for _, p := range peers {
		cmd.Peers = append(cmd.Peers, unmap(netip.AddrPortFrom(p, 0)))
	}
	return c.ask(ctx, cmd, func() []*waiter {
		var list []*waiter
		for _, p := range cmd.Peers {
			if !c.peers.permitted[p.Addr()] {
				list = append(list, c.waiters.add(wantPermission, p))
			}
		}
		return list
	})
}

// RemovePermission stops the refreshes of a permission: the server drops it
// within five minutes.
func (c *Conn) RemovePermission(peer netip.Addr) error {
	cmd := abi.Command{Cmd: abi.CmdRemovePermission, Peers: []netip.AddrPort{unmap(netip.AddrPortFrom(peer, 0))}}
	return c.ask(context.Background(), cmd, func() []*waiter {
		delete(c.peers.permitted, peer.Unmap())
		return nil
	})
}

// BindChannel binds a channel to the peer and waits until the server has
// agreed. It is kept, with its permission, until UnbindChannel.
func (c *Conn) BindChannel(ctx context.Context, peer netip.AddrPort) error {
	peer = unmap(peer)
	return c.ask(ctx, abi.Command{Cmd: abi.CmdBindChannel, Peers: []netip.AddrPort{peer}}, func() []*waiter {
		if c.peers.channels[peer] != 0 {
			return nil
		}
		return []*waiter{c.waiters.add(wantChannel, peer)}
	})
}

// UnbindChannel stops the refreshes of a channel; it serves until it expires.
func (c *Conn) UnbindChannel(peer netip.AddrPort) error {
	peer = unmap(peer)
	return c.ask(context.Background(), abi.Command{Cmd: abi.CmdUnbindChannel, Peers: []netip.AddrPort{peer}}, func() []*waiter {
		delete(c.peers.channels, peer)
		return nil
	})
}

// SetCredentials replaces the password: the next request is signed with it. A
// new username serves the next allocation only (RFC 8656 section 5): Replace
// makes one beside this.
func (c *Conn) SetCredentials(username, password string) error {
	u, p, err := prepareCredentials(username, password)
	if err != nil {
		return err
	}
	cmd := abi.Command{Cmd: abi.CmdSetCredentials, Username: []byte(u), Password: []byte(p)}
	defer clear(cmd.Password)
	return c.ask(context.Background(), cmd, func() []*waiter { return nil })
}

// SetToken replaces the access token of RFC 7635 and its key, of which kid is
// the name: the next request is signed with it.
func (c *Conn) SetToken(kid string, macKey, token []byte) error {
	cmd := abi.Command{Cmd: abi.CmdSetToken, Username: []byte(kid), Password: macKey, AccessToken: token}
	return c.ask(context.Background(), cmd, func() []*waiter { return nil })
}

// ask gives the machine a command and waits for what wait names. wait is called
// under the lock, before the command; when that is refused nobody waits.
func (c *Conn) ask(ctx context.Context, cmd abi.Command, wait func() []*waiter) error {
	var list []*waiter
	err := c.driver.do(func() error {
		if c.stage >= stageShut {
			return c.closedError()
		}
		c.driver.touch(c)
		list = wait()
		err := c.command(&cmd)
		if err != nil {
			c.dismiss(list)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(list) > 0 {
		c.in.serve()
	}
	var all []error
	for _, w := range list {
		all = append(all, c.await(ctx, w))
	}
	return join(all)
}

// join keeps a single error as it is.
func join(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// command writes the record and calls.
func (c *Conn) command(cmd *abi.Command) error {
	d := c.driver
	n, err := d.control(func(b []byte) []byte { return abi.AppendCommand(b, cmd) })
	if err != nil {
		return err
	}
	_, err = d.answer(d.eng.command(d.clock.now(), c.handle, n))
	return err
}

// control lets write append a record where control-in lies: no copy of a
// password is made on the way, and the guest wipes this one.
func (d *driver) control(write func([]byte) []byte) (int32, error) {
	control := d.layout.ControlIn.Of(d.region)
	record := write(control[:0])
	if len(record) > len(control) {
		clear(record)
		return 0, client.ErrLimit
	}
	return int32(len(record)), nil
}

func (c *Conn) await(ctx context.Context, w *waiter) error {
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		c.driver.mu.Lock()
		c.waiters.remove(w)
		c.driver.mu.Unlock()
		return ctx.Err()
	}
}

func (c *Conn) dismiss(list []*waiter) {
	for _, w := range list {
		c.waiters.remove(w)
	}
}

// Phase is what the client is doing.
func (c *Conn) Phase() client.Phase {
	phase := client.PhaseClosed
	_ = c.driver.do(func() error {
		if c.stage >= stageEnded {
			return net.ErrClosed
		}
		state, err := c.state()
		if err == nil {
			phase = state.Phase
		}
		return err
	})
	return phase
}
