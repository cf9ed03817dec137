//go:build unix

package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/host"
)

// RuntimeConfig is turnwasm_runtime_config.
type RuntimeConfig struct {
	Instances, ClientsPerInstance int
	CacheDir                      *string // nil: the user's; "": none
}

// Library is all runtimes and sockets of a process.
type Library struct {
	runtimes table[*runtime]
	sockets  table[*Socket]

	mu       sync.Mutex
	fallback uint64 // the default runtime's handle; 0: there is none yet
}

// NewLibrary has nothing.
func NewLibrary() *Library {
	l := &Library{}
	l.runtimes.kind, l.sockets.kind = "runtime", "socket"
	return l
}

// runtime is one, with the sockets that were dialled in it.
type runtime struct {
	*host.Runtime
	closed chan struct{}
	err    error
}

// OpenRuntime answers a runtime's handle.
func (l *Library) OpenRuntime(c RuntimeConfig) (uint64, error) {
	if c.Instances < 0 || c.ClientsPerInstance < 0 {
		return 0, refuse(Argument, "instances and clients_per_instance are not negative")
	}
	options := []host.Option{host.WithInstances(c.Instances), host.WithClientsPerInstance(c.ClientsPerInstance)}
	switch {
	case c.CacheDir != nil && *c.CacheDir == "":
		options = append(options, host.WithoutCache())
	case c.CacheDir != nil:
		options = append(options, host.WithCacheDir(*c.CacheDir))
	}
	rt, err := host.New(context.Background(), options...)
	if err != nil {
		return 0, &Error{Internal, err}
	}
	return l.runtimes.add(&runtime{Runtime: rt, closed: make(chan struct{})}), nil
}

// runtime finds one; 0 is the default one, which it makes.
func (l *Library) runtime(h uint64) (*runtime, uint64, error) {
	if h == 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.fallback == 0 {
			made, err := l.OpenRuntime(RuntimeConfig{})
			if err != nil {
				return nil, 0, err
			}
			l.fallback = made
		}
		h = l.fallback
	}
	rt, err := l.runtimes.get(h)
	return rt, h, err
}

// CloseRuntime closes it with its sockets, and frees all their handles. within
// is as Close has it.
func (l *Library) CloseRuntime(h uint64, within bool) error {
	if h == 0 {
		l.mu.Lock()
		h, l.fallback = l.fallback, 0
		l.mu.Unlock()
		if h == 0 {
			return nil
		}
	}
	rt, err := l.runtimes.get(h)
	if err != nil {
		return err
	}
	if !l.runtimes.drop(h) { // another call is at it
		if within {
			return nil
		}
		<-rt.closed
		return rt.err
	}
	defer close(rt.closed)
	rt.err = l.shut(h, rt, within)
	return rt.err
}

func (l *Library) shut(h uint64, rt *runtime, within bool) error {
	err := rt.Close()
	for _, s := range l.sockets.all() {
		if socket, gone := l.sockets.get(s); gone == nil && socket.home == h && l.sockets.drop(s) {
			socket.free(within)
		}
	}
	if closed, is := errors.AsType[*host.CloseError](err); is {
		return &Error{Request, closed}
	}
	return err
}

// patience is a context of so many ms; 0 has no end.
func patience(ms int64) (context.Context, context.CancelFunc) {
	if ms <= 0 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), Milliseconds(ms))
}

// Milliseconds as a duration, at most what one holds.
func Milliseconds(ms int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(max(-most, min(ms, most))) * time.Millisecond
}
