package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// "The client SHOULD try three different client transport addresses before
// giving up on this server."
// https://www.rfc-editor.org/rfc/rfc8656#section-7.4
const maxPorts = 3

func (c *Conn) pathError(t *transport) { c.tellFlow(t.flow, abi.PathError) }

// tellFlow tells the machine what became of a flow.
func (c *Conn) tellFlow(flow client.Flow, what int32) {
	_ = c.driver.do(func() error {
		if c.stage >= stageEnded {
			return nil
		}
		c.driver.touch(c)
		_, err := c.driver.answer(c.driver.eng.flow(c.driver.clock.now(), c.handle, int32(flow), what))
		return err
	})
}

// changePort opens a socket on another local port, and gives up after three or
// when the caller chose the port.
func (c *Conn) changePort(flow client.Flow) {
	c.driver.mu.Lock()
	giveUp := c.ports >= maxPorts || c.settings.ownsPort()
	c.driver.mu.Unlock()
	if !giveUp {
		old, err := c.openFlow(flow)
		giveUp = err != nil
		closeAll(old)
	}
	if giveUp {
		c.tellFlow(flow, abi.FlowClosed)
		return
	}
	c.tellFlow(flow, abi.FlowOpened)
}

// openFlow replaces the control path's socket. The new one is opened before the
// old one, which it answers, is closed, so that it cannot get the same port.
// Where the local address that was asked for is gone, any serves.
func (c *Conn) openFlow(flow client.Flow) (old []*transport, err error) {
	t, err := c.openAnother(flow)
	if err != nil {
		return nil, err
	}
	c.driver.mu.Lock()
	if c.stage >= stageEnded {
		c.driver.mu.Unlock()
		t.close()
		return nil, net.ErrClosed
	}
	old = c.flows
	c.attach(t)
	c.driver.mu.Unlock()
	return old, nil
}

// openAnother opens another socket to the server, until the Conn is closed.
func (c *Conn) openAnother(flow client.Flow) (*transport, error) {
	local := netip.AddrPortFrom(c.nextLocal(), 0)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-c.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	t, err := openTransport(ctx, flow, local, c.server, &c.settings)
	if errors.Is(err, syscall.EADDRNOTAVAIL) && c.settings.Mobility {
		t, err = openTransport(ctx, flow, netip.AddrPort{}, c.server, &c.settings)
	}
	return t, err
}

// nextLocal is the address of the next socket.
func (c *Conn) nextLocal() netip.Addr {
	c.driver.mu.Lock()
	defer c.driver.mu.Unlock()
	if c.move.from.IsValid() {
		return c.move.from
	}
	return c.settings.local.Addr()
}

func closeAll(ts []*transport) {
	for _, t := range ts {
		t.close()
	}
}

// endStream closes a stream with which the machine has done. It may take a
// while, and the instance's lock is held here.
func (c *Conn) endStream(flow client.Flow) {
	if t := c.flowOf(flow); t != nil {
		c.rt.running.Add(1)
		go func() {
			defer c.rt.running.Done()
			t.close()
		}()
	}
}

// attach makes t the control path's socket.
func (c *Conn) attach(t *transport) {
	c.flows = []*transport{t}
	c.ports++
	c.local.Store(&t.local)
	c.stream.Store(t.stream)
	c.in.attach(t)
}
