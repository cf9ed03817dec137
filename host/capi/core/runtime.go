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
	fallback uint64              // the default runtime's handle; 0: there is none yet
	former   uint64              // that of the default runtime that is being closed
	closing  map[uint64]*runtime // they have no handle any more
}

// NewLibrary has nothing.
func NewLibrary() *Library {
	l := &Library{closing: make(map[uint64]*runtime)}
	l.runtimes.kind, l.sockets.kind = "runtime", "socket"
	return l
}

// runtime is one, with the calls that its sockets' callbacks are told by.
type runtime struct {
	*host.Runtime
	callbacks sync.WaitGroup
	closed    chan struct{}
	err       error // good once it is closed
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

// CloseRuntime closes it with its sockets, and frees all their handles. Whoever
// finds another call at it waits for that one, and answers the same. within says
// that it is called by a callback: then neither is waited for, that call or a
// callback.
func (l *Library) CloseRuntime(h uint64, within bool) error {
	h, rt, first, err := l.end(h)
	switch {
	case err != nil || rt == nil:
		return err
	case first:
		l.shut(h, rt, within)
	case within:
		return nil
	}
	<-rt.closed
	if !within {
		rt.callbacks.Wait() // those of sockets that were closed before, too
	}
	return rt.err
}

// end frees the handle, and says whether this call was the one that did; 0 is
// the default runtime, which may not be there.
func (l *Library) end(h uint64) (handle uint64, rt *runtime, first bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h == 0 && l.fallback != 0 {
		l.former, l.fallback = l.fallback, 0
	}
	if h == 0 {
		if h = l.former; h == 0 {
			return 0, nil, false, nil
		}
	}
	if rt, is := l.closing[h]; is {
		return h, rt, false, nil
	}
	if rt, err = l.runtimes.get(h); err != nil {
		return h, nil, false, err
	}
	l.runtimes.drop(h)
	l.closing[h] = rt
	return h, rt, true, nil
}

// ended lets those go on who wait for it.
func (l *Library) ended(h uint64, rt *runtime) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.closing, h)
	if l.former == h {
		l.former = 0
	}
	close(rt.closed)
}

func (l *Library) shut(h uint64, rt *runtime, within bool) {
	defer l.ended(h, rt)
	rt.err = rt.Close()
	for _, h := range l.sockets.all() {
		if s, gone := l.sockets.get(h); gone == nil && s.rt == rt {
			s.lastCallback()
			if l.sockets.drop(h) {
				s.free(within)
			}
		}
	}
	if _, is := errors.AsType[*host.CloseError](rt.err); is {
		rt.err = &Error{Request, rt.err}
	}
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
