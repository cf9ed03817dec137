package host

import (
	"context"
	"fmt"
	"io"

	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/instance"
)

// nativeEngines makes engines of the native code.
type nativeEngines struct{ rand io.Reader }

func (f nativeEngines) instantiate(context.Context) (engine, error) {
	layout := abi.DefaultLayout()
	shared := make([]byte, layout.Size)
	return &nativeEngine{
		shared: shared,
		turn:   instance.New(shared, layout, instance.Options{Rand: f.rand}),
	}, nil
}

func (nativeEngines) shut(context.Context) error { return nil }

// nativeEngine is the same code as the module's, compiled into the program. A
// panic that the instance does not recover is this engine's trap.
type nativeEngine struct {
	shared []byte
	turn   *instance.Instance
	dead   error
}

func (e *nativeEngine) region() []byte             { return e.shared }
func (e *nativeEngine) memory() uint64             { return uint64(len(e.shared)) }
func (e *nativeEngine) shut(context.Context) error { e.dead = errShut; return nil }

// trapped is deferred by every call.
func (e *nativeEngine) trapped(export string, err *error) {
	if r := recover(); r != nil {
		e.dead = &trapError{export: export, cause: fmt.Errorf("panic: %v", r)}
		*err = e.dead
	}
}

func (e *nativeEngine) open(now float64, n int32) (h int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_open", &err)
	return e.turn.Open(now, n), nil
}

func (e *nativeEngine) command(now float64, h, n int32) (code int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_command", &err)
	return e.turn.Command(now, h, n), nil
}

func (e *nativeEngine) flow(now float64, h, flow, what int32) (code int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_flow", &err)
	return e.turn.Flow(now, h, flow, what), nil
}

func (e *nativeEngine) peer(h, n int32) (number int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_peer", &err)
	return e.turn.Peer(h, n), nil
}

func (e *nativeEngine) input(now float64, n int32) (outs int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_input", &err)
	return e.turn.Input(now, n), nil
}

func (e *nativeEngine) send(now float64, n int32) (outs int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_send", &err)
	return e.turn.Send(now, n), nil
}

func (e *nativeEngine) poll() (outs int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_poll", &err)
	return e.turn.Poll(), nil
}

func (e *nativeEngine) tick(now float64) (next float64, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_tick", &err)
	return e.turn.Tick(now), nil
}

func (e *nativeEngine) close(now float64, h int32, linger float64) (code int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_close", &err)
	return e.turn.Close(now, h, linger), nil
}

func (e *nativeEngine) state(h int32) (n int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_state", &err)
	return e.turn.State(h), nil
}

func (e *nativeEngine) stats(h int32) (n int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_stats", &err)
	return e.turn.Stats(h), nil
}

func (e *nativeEngine) parting(now float64, h int32) (outs int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_parting", &err)
	return e.turn.Parting(now, h), nil
}

func (e *nativeEngine) free(h int32) (code int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_free", &err)
	return e.turn.Free(h), nil
}

func (e *nativeEngine) snapshot(now float64, h, offset, size int32) (n int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_snapshot", &err)
	return e.turn.Snapshot(now, h, offset, size), nil
}

func (e *nativeEngine) restore(now, elapsed float64, offset, n int32) (h int32, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	defer e.trapped("turn_restore", &err)
	return e.turn.Restore(now, elapsed, offset, n), nil
}
