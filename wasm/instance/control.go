package instance

import (
	"math/rand/v2"
	"net/netip"
	"strconv"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// refuse ends a call with an error: its code is the answer, its text goes to
// control-out.
func (in *Instance) refuse(err error) int32 {
	in.out.reset()
	text := err.Error()
	n := copy(in.layout.ControlOut.Of(in.region), text)
	in.end()
	in.header.SetErrorLen(n)
	return int32(abi.CodeOf(err))
}

// answer ends a control call.
func (in *Instance) answer(err error) int32 {
	if err != nil {
		return in.refuse(err)
	}
	in.end()
	return 0
}

// control starts a control call with a record of n bytes in control-in. The
// record is answered beside an error too: it may hold what must be wiped.
func (in *Instance) control(now float64, n int32) (rec []byte, err error) {
	ok := in.begin(now)
	rec, err = in.record(n)
	if !ok {
		err = abi.Detail(abi.ErrArgument, "now is "+float(now))
	}
	return rec, err
}

func (in *Instance) record(n int32) ([]byte, error) {
	in.worked = true
	if n < 0 || uint32(n) > in.layout.ControlIn.Size {
		return nil, abi.Detail(abi.ErrArgument, "a record of "+strconv.Itoa(int(n))+" bytes")
	}
	at := in.layout.ControlIn.Offset
	end := at + uint32(n)
	return in.region[at:end:end], nil
}

// Open is turn_open.
func (in *Instance) Open(now float64, n int32) int32 {
	rec, err := in.control(now, n)
	defer clear(rec) // the password lies there
	if err != nil {
		return in.refuse(err)
	}
	cfg, seed, err := abi.ParseConfig(rec)
	if err != nil {
		return in.refuse(err)
	}
	cfg.Rand = in.rand
	if seed != nil {
		cfg.Rand = rand.NewChaCha8([abi.SeedSize]byte(seed))
	}
	slot, err := in.admit(clientCost)
	if err != nil {
		return in.refuse(err)
	}
	err = in.guard(slot, func(c *client.Client) error { return c.Init(cfg) })
	if err != nil {
		in.drop(slot)
		return in.refuse(err)
	}
	in.touched.push(&in.slots, slot)
	in.end()
	return in.slots.handle(slot)
}

// admit finds a slot for a client that takes about so much memory.
func (in *Instance) admit(cost int) (slot int32, err error) {
	in.memory.grow(cost)
	if !in.memory.room(in.slots.alive+1, in.header.MemoryLimit()) || in.short() {
		return noSlot, abi.ErrMemory
	}
	slot, ok := in.slots.take(in.header.MostClients())
	if !ok {
		return noSlot, abi.Detail(abi.ErrRoom, strconv.Itoa(in.slots.alive)+" are alive")
	}
	return slot, nil
}

// clientCost is about what a client takes with its allocation and the garbage
// of making it; commandCost what one more permission or channel does.
const (
	clientCost  = 8 << 10
	commandCost = 1 << 10
)

// wake marks a client that was called: it may have effects and another
// deadline.
func (in *Instance) wake(slot int32) {
	in.dirty.push(&in.slots, slot)
	in.touched.push(&in.slots, slot)
}

// call runs f on the client of a handle.
func (in *Instance) call(h int32, f func(*client.Client) error) error {
	slot, e := in.slots.lookup(h)
	if e == nil {
		return abi.ErrHandle
	}
	in.wake(slot)
	return in.guard(slot, f)
}

// Command is turn_command.
func (in *Instance) Command(now float64, h, n int32) int32 {
	rec, err := in.control(now, n)
	defer clear(rec) // a password may lie there
	if err == nil {
		err = in.command.Parse(rec)
	}
	if err == nil {
		err = in.call(h, in.run)
	}
	return in.answer(err)
}

// run carries out the command that was parsed.
func (in *Instance) run(c *client.Client) error {
	cmd := &in.command
	in.memory.grow(commandCost * (1 + len(cmd.Peers)))
	if takesMemory(cmd.Cmd) && in.short() {
		return abi.ErrMemory
	}
	switch cmd.Cmd {
	case abi.CmdAllocate:
		return c.Allocate(in.now)
	case abi.CmdRefresh:
		return c.Refresh(in.now)
	case abi.CmdRebind:
		return c.Rebind(in.now)
	case abi.CmdCreatePermission:
		return c.CreatePermission(in.now, in.peerAddrs()...)
	case abi.CmdSetCredentials:
		return c.SetCredentials(in.now, cmd.Username, cmd.Password)
	case abi.CmdSetToken:
		return c.SetToken(in.now, cmd.Username, cmd.Password, cmd.AccessToken)
	case abi.CmdAcceptConnection:
		return c.AcceptConnection(in.now, cmd.Connection)
	case abi.CmdRemovePermission, abi.CmdBindChannel, abi.CmdUnbindChannel, abi.CmdConnect:
		return in.runPeer(c)
	}
	return abi.Detail(abi.ErrUnsupported, "command "+strconv.Itoa(int(cmd.Cmd)))
}

func takesMemory(c abi.Cmd) bool {
	return c == abi.CmdAllocate || c == abi.CmdCreatePermission || c == abi.CmdBindChannel || c == abi.CmdConnect
}

func (in *Instance) runPeer(c *client.Client) error {
	if len(in.command.Peers) != 1 {
		return abi.Detail(abi.ErrArgument, "the command takes one peer, not "+strconv.Itoa(len(in.command.Peers)))
	}
	peer := plain(in.command.Peers[0])
	switch in.command.Cmd {
	case abi.CmdRemovePermission:
		return c.RemovePermission(in.now, peer.Addr())
	case abi.CmdBindChannel:
		return c.BindChannel(in.now, peer)
	case abi.CmdConnect:
		return c.Connect(in.now, peer)
	default:
		return c.UnbindChannel(in.now, peer)
	}
}

func (in *Instance) peerAddrs() []netip.Addr {
	in.addrs = in.addrs[:0]
	for _, p := range in.command.Peers {
		in.addrs = append(in.addrs, p.Addr().Unmap())
	}
	return in.addrs
}

// Flow is turn_flow.
func (in *Instance) Flow(now float64, h, flow, what int32) int32 {
	_, err := in.control(now, 0)
	if err == nil {
		err = in.call(h, func(c *client.Client) error { return in.flow(c, client.Flow(flow), what) })
	}
	return in.answer(err)
}

func (in *Instance) flow(c *client.Client, flow client.Flow, what int32) error {
	switch what {
	case abi.FlowOpened:
		c.FlowOpened(in.now, flow)
	case abi.FlowClosed:
		c.FlowClosed(in.now, flow)
	case abi.PathError:
		c.PathError(in.now, flow)
	default:
		return abi.Detail(abi.ErrArgument, "turn_flow says "+strconv.Itoa(int(what)))
	}
	return nil
}

// Close is turn_close.
func (in *Instance) Close(now float64, h int32, linger float64) int32 {
	_, err := in.control(now, 0)
	d, ok := abi.Duration(linger)
	if err == nil && !ok {
		err = abi.Detail(abi.ErrArgument, "a linger of "+float(linger))
	}
	if err == nil {
		err = in.call(h, func(c *client.Client) error { c.Close(in.now, d); return nil })
	}
	return in.answer(err)
}

// Free is turn_free. The client's effects that were not drained are lost.
func (in *Instance) Free(h int32) int32 {
	in.reset()
	in.worked = true
	slot, e := in.slots.lookup(h)
	if e == nil {
		return in.refuse(abi.ErrHandle)
	}
	quietly(e.client.Free)
	in.drop(slot)
	in.end()
	return 0
}

// drop takes a slot out of everything and wipes it.
func (in *Instance) drop(slot int32) {
	in.wakes.remove(&in.slots, slot)
	in.dirty.remove(&in.slots, slot)
	in.touched.remove(&in.slots, slot)
	in.slots.give(slot)
}

// float writes a number as package fmt does, which is not linked.
func float(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
