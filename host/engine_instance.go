package host

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// wazeroEngine is one instance of the module.
type wazeroEngine struct {
	ctx    context.Context
	module api.Module
	shared []byte
	stderr tail
	export string // the one that is being called
	dead   error  // the instance is never called again after an error
	stack  [4]uint64

	abiVersion, memoryAt                      api.Function
	fnOpen, fnCommand, fnFlow, fnPeer         api.Function
	fnInput, fnSend, fnPoll, fnTick           api.Function
	fnClose, fnState, fnStats, fnPart, fnFree api.Function
	fnSnapshot, fnRestore                     api.Function
}

// bind looks up the exports once, checks the version and takes the region.
func (e *wazeroEngine) bind() error {
	for name, f := range map[string]*api.Function{
		"turn_abi_version": &e.abiVersion, "turn_memory": &e.memoryAt,
		"turn_open": &e.fnOpen, "turn_command": &e.fnCommand, "turn_flow": &e.fnFlow,
		"turn_peer": &e.fnPeer, "turn_input": &e.fnInput, "turn_send": &e.fnSend,
		"turn_poll": &e.fnPoll, "turn_tick": &e.fnTick, "turn_close": &e.fnClose,
		"turn_state": &e.fnState, "turn_stats": &e.fnStats, "turn_parting": &e.fnPart,
		"turn_free": &e.fnFree, "turn_snapshot": &e.fnSnapshot, "turn_restore": &e.fnRestore,
	} {
		*f = e.module.ExportedFunction(name)
	}
	version, err := e.i32("turn_abi_version", e.abiVersion)
	if err != nil {
		return err
	}
	if version != abi.Version {
		return fmt.Errorf("turn: the module speaks ABI version %d, this host %d", version, abi.Version)
	}
	return e.takeRegion()
}

func (e *wazeroEngine) takeRegion() error {
	at, err := e.i32("turn_memory", e.memoryAt)
	if err != nil {
		return err
	}
	size := e.module.Memory().Size()
	if uint32(at) >= size {
		return fmt.Errorf("turn: the module's region lies at %#x, outside of its memory", uint32(at))
	}
	mem, _ := e.module.Memory().Read(uint32(at), size-uint32(at))
	layout, err := abi.LoadLayout(mem)
	if err != nil {
		return err
	}
	e.shared = mem[:layout.Size:layout.Size]
	return nil
}

// call calls an export with the arguments on the stack. What it answers is on
// the stack then. An error is final.
func (e *wazeroEngine) call(name string, f api.Function) error {
	if e.dead != nil {
		return e.dead
	}
	e.export = name
	if err := f.CallWithStack(e.ctx, e.stack[:]); err != nil {
		return e.died(err)
	}
	return nil
}

func (e *wazeroEngine) died(err error) error {
	e.dead = &trapError{export: e.export, cause: err, output: e.stderr.String()}
	return e.dead
}

// i32 calls an export that answers an i32. wazero leaves what it likes in the
// upper half.
func (e *wazeroEngine) i32(name string, f api.Function) (int32, error) {
	err := e.call(name, f)
	return api.DecodeI32(e.stack[0]), err
}

func (e *wazeroEngine) region() []byte { return e.shared }
func (e *wazeroEngine) memory() uint64 { return uint64(e.module.Memory().Size()) }

func (e *wazeroEngine) shut(ctx context.Context) error {
	if e.dead == errShut {
		return nil
	}
	e.dead, e.shared = errShut, nil
	return e.module.Close(ctx)
}

func (e *wazeroEngine) open(now float64, n int32) (int32, error) {
	e.stack[0], e.stack[1] = api.EncodeF64(now), api.EncodeI32(n)
	return e.i32("turn_open", e.fnOpen)
}

func (e *wazeroEngine) command(now float64, h, n int32) (int32, error) {
	e.stack[0], e.stack[1], e.stack[2] = api.EncodeF64(now), api.EncodeI32(h), api.EncodeI32(n)
	return e.i32("turn_command", e.fnCommand)
}

func (e *wazeroEngine) flow(now float64, h, flow, what int32) (int32, error) {
	e.stack[0], e.stack[1] = api.EncodeF64(now), api.EncodeI32(h)
	e.stack[2], e.stack[3] = api.EncodeI32(flow), api.EncodeI32(what)
	return e.i32("turn_flow", e.fnFlow)
}

func (e *wazeroEngine) peer(h, n int32) (int32, error) {
	e.stack[0], e.stack[1] = api.EncodeI32(h), api.EncodeI32(n)
	return e.i32("turn_peer", e.fnPeer)
}

func (e *wazeroEngine) input(now float64, n int32) (int32, error) {
	e.stack[0], e.stack[1] = api.EncodeF64(now), api.EncodeI32(n)
	return e.i32("turn_input", e.fnInput)
}

func (e *wazeroEngine) send(now float64, n int32) (int32, error) {
	e.stack[0], e.stack[1] = api.EncodeF64(now), api.EncodeI32(n)
	return e.i32("turn_send", e.fnSend)
}

func (e *wazeroEngine) poll() (int32, error) { return e.i32("turn_poll", e.fnPoll) }

func (e *wazeroEngine) tick(now float64) (float64, error) {
	e.stack[0] = api.EncodeF64(now)
	err := e.call("turn_tick", e.fnTick)
	return api.DecodeF64(e.stack[0]), err
}

func (e *wazeroEngine) close(now float64, h int32, linger float64) (int32, error) {
	e.stack[0], e.stack[1], e.stack[2] = api.EncodeF64(now), api.EncodeI32(h), api.EncodeF64(linger)
	return e.i32("turn_close", e.fnClose)
}

func (e *wazeroEngine) state(h int32) (int32, error) {
	e.stack[0] = api.EncodeI32(h)
	return e.i32("turn_state", e.fnState)
}

func (e *wazeroEngine) stats(h int32) (int32, error) {
	e.stack[0] = api.EncodeI32(h)
	return e.i32("turn_stats", e.fnStats)
}

func (e *wazeroEngine) parting(now float64, h int32) (int32, error) {
	e.stack[0], e.stack[1] = api.EncodeF64(now), api.EncodeI32(h)
	return e.i32("turn_parting", e.fnPart)
}

func (e *wazeroEngine) free(h int32) (int32, error) {
	e.stack[0] = api.EncodeI32(h)
	return e.i32("turn_free", e.fnFree)
}

func (e *wazeroEngine) snapshot(now float64, h, offset, size int32) (int32, error) {
	e.stack[0], e.stack[1] = api.EncodeF64(now), api.EncodeI32(h)
	e.stack[2], e.stack[3] = api.EncodeI32(offset), api.EncodeI32(size)
	return e.i32("turn_snapshot", e.fnSnapshot)
}

func (e *wazeroEngine) restore(now, elapsed float64, offset, n int32) (int32, error) {
	e.stack[0], e.stack[1] = api.EncodeF64(now), api.EncodeF64(elapsed)
	e.stack[2], e.stack[3] = api.EncodeI32(offset), api.EncodeI32(n)
	return e.i32("turn_restore", e.fnRestore)
}
