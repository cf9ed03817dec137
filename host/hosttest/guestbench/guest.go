// Package guestbench measures what the module itself costs, without sockets and
// without package host: turn.wasm under wazero, called as a host calls it.
package guestbench

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

var (
	serverAddr = netip.MustParseAddrPort("203.0.113.1:3478")
	clientAddr = netip.MustParseAddrPort("198.51.100.1:5000")
	peerAddr   = netip.MustParseAddrPort("203.0.113.9:4000")
)

// guest is an instance of the module with one client that has a channel.
type guest struct {
	ctx     context.Context
	runtime wazero.Runtime
	module  api.Module
	region  []byte
	layout  abi.Layout
	stack   [4]uint64
	ms      float64

	input, send api.Function
	handle      int32
	number      uint16 // of the channel
	peer        uint32 // number of its peer
}

// newGuest compiles the module and joins the client to a server of its own.
func newGuest(ctx context.Context, module []byte) (*guest, error) {
	g := &guest{ctx: ctx, ms: 1000, runtime: wazero.NewRuntime(ctx)}
	err := g.start(module)
	if err == nil {
		err = g.join()
	}
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (g *guest) close() { _ = g.runtime.Close(g.ctx) }

func (g *guest) start(module []byte) error {
	if _, err := wasi_snapshot_preview1.Instantiate(g.ctx, g.runtime); err != nil {
		return err
	}
	compiled, err := g.runtime.CompileModule(experimental.WithCompilationWorkers(g.ctx, 2), module)
	if err != nil {
		return err
	}
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithRandSource(rand.Reader)
	if g.module, err = g.runtime.InstantiateModule(g.ctx, compiled, config); err != nil {
		return err
	}
	g.input, g.send = g.module.ExportedFunction("turn_input"), g.module.ExportedFunction("turn_send")
	return g.look()
}

// look takes the region as it lies now: growing may move linear memory.
func (g *guest) look() error {
	at, err := g.call("turn_memory")
	if err != nil {
		return err
	}
	mem, _ := g.module.Memory().Read(uint32(at), g.module.Memory().Size()-uint32(at))
	if g.layout, err = abi.LoadLayout(mem); err != nil {
		return err
	}
	g.region = mem[:g.layout.Size]
	return nil
}

// call calls an export that answers an i32; less than 0 is an error.
func (g *guest) call(name string, args ...uint64) (int32, error) {
	results, err := g.module.ExportedFunction(name).Call(g.ctx, args...)
	if err != nil {
		return 0, err
	}
	n := api.DecodeI32(results[0])
	if n < 0 {
		return n, fmt.Errorf("%s: %w", name, abi.Code(n).Err())
	}
	return n, nil
}

// control calls an export with a record in control-in.
func (g *guest) control(name string, record []byte, args ...uint64) (int32, error) {
	if err := g.look(); err != nil {
		return 0, err
	}
	n := copy(g.layout.ControlIn.Of(g.region), record)
	return g.call(name, append(args, uint64(n))...)
}

// batch is turn_input or turn_send, a moment later than the call before it.
func (g *guest) batch(f api.Function, n int) (outs int, err error) {
	g.ms += 1e-3
	g.stack[0], g.stack[1] = api.EncodeF64(g.ms), uint64(n)
	err = f.CallWithStack(g.ctx, g.stack[:])
	return int(api.DecodeI32(g.stack[0])), err
}

// join opens the client, allocates, and binds the channel.
func (g *guest) join() (err error) {
	server := turntest.NewServer(turntest.ServerConfig{Addr: serverAddr, Users: map[string]string{"bench": "secret"}})
	cfg := client.Config{Server: serverAddr, Username: []byte("bench"), Password: []byte("secret")}
	if g.handle, err = g.control("turn_open", abi.AppendConfig(nil, &cfg, nil), api.EncodeF64(g.ms)); err != nil {
		return err
	}
	for _, cmd := range []abi.Command{
		{Cmd: abi.CmdAllocate}, {Cmd: abi.CmdBindChannel, Peers: []netip.AddrPort{peerAddr}},
	} {
		args := []uint64{api.EncodeF64(g.ms), api.EncodeI32(g.handle)}
		if _, err := g.control("turn_command", abi.AppendCommand(nil, &cmd), args...); err != nil {
			return err
		}
		if err := g.talk(server); err != nil {
			return err
		}
	}
	if g.number == 0 {
		return fmt.Errorf("turn_command: no channel was bound")
	}
	number, err := g.control("turn_peer", abi.AppendPeer(nil, peerAddr), api.EncodeI32(g.handle))
	g.peer = uint32(number)
	return err
}

// talk carries datagrams between the client and the server until both are done.
func (g *guest) talk(server *turntest.Server) error {
	outs, err := g.call("turn_poll")
	for err == nil && outs > 0 {
		if err = g.look(); err != nil {
			return err
		}
		g.deliver(server, int(outs))
		if d, ok := server.Poll(); ok {
			g.put(0, abi.Desc{Kind: abi.KindInput, Offset: g.layout.Arena.Offset}, d.Data)
			var n int
			n, err = g.batch(g.input, 1)
			outs = int32(n)
		} else {
			outs, err = g.call("turn_poll")
		}
	}
	return err
}

// deliver takes what the client says to the server, and the channel's number.
func (g *guest) deliver(server *turntest.Server, outs int) {
	for i := range outs {
		var d abi.Desc
		d.Load(g.layout.Out.At(g.region, i))
		data := g.region[d.Offset : d.Offset+d.Length]
		switch d.Kind {
		case abi.KindTransmit:
			server.Handle(0, serverAddr, clientAddr, append([]byte(nil), data...))
		case abi.KindEvent:
			if e, err := abi.ParseEvent(data); err == nil && e.Kind == client.ChannelBound {
				g.number = e.Channel
			}
		}
	}
}

// put lays data down where d says and makes d the in-descriptor i.
func (g *guest) put(i int, d abi.Desc, data []byte) {
	d.Client = g.handle
	if n := copy(g.region[d.Offset:], data); d.Length == 0 {
		d.Length = uint32(n)
	}
	d.Store(g.layout.In.At(g.region, i))
}
