//go:build cgo && unix

// Command capi is package host as a C library: turnwasm.h says what it does.
//
//	make capi
//
// builds libturnwasm.so and puts turnwasm.h beside it. Here is what C and Go have
// to tell each other; what the functions do is in package core.
package main

/*
#cgo LDFLAGS: -lpthread
#include "turnwasm.h"

void turnwasm_tell(turnwasm_on_payload f, uintptr_t user, turnwasm_socket socket, void *data, size_t length, turnwasm_addr *from);
*/
import "C"

import (
	"context"
	"fmt"
	"net/netip"
	"unsafe"

	"github.com/turnwasm/turnwasm/host/capi/core"
)

var library = core.NewLibrary()

func main() {}

// guarded carries out what a function of C's asks for: no panic leaves Go, and
// what went wrong is written down.
func guarded(e *C.turnwasm_error, f func() error) (code C.int) {
	return C.int(counted(e, func() (int64, error) { return 0, f() }))
}

// counted is guarded for functions that answer how many.
func counted(e *C.turnwasm_error, f func() (int64, error)) (n C.int64_t) {
	defer func() {
		if r := recover(); r != nil {
			n = tell(e, &core.Error{Code: core.Internal, Err: fmt.Errorf("a fault of the library's: %v", r)})
		}
	}()
	some, err := f()
	if err != nil {
		return tell(e, err)
	}
	return C.int64_t(some)
}

// with is guarded for what a socket is asked.
func with(h C.turnwasm_socket, e *C.turnwasm_error, f func(s *core.Socket) error) C.int {
	return guarded(e, func() error {
		s, err := library.Socket(uint64(h))
		if err != nil {
			return err
		}
		return f(s)
	})
}

// toPeer is with for what is about a peer.
func toPeer(h C.turnwasm_socket, addr *C.turnwasm_addr, e *C.turnwasm_error, f func(s *core.Socket, peer netip.AddrPort) error) C.int {
	return with(h, e, func(s *core.Socket) error {
		peer, err := peerOf(addr)
		if err != nil {
			return err
		}
		return f(s, peer)
	})
}

//export goAddrParse
func goAddrParse(text *C.char, addr *C.turnwasm_addr) C.int {
	return guarded(nil, func() error {
		peer, err := netip.ParseAddrPort(C.GoString(text))
		if err != nil {
			return &core.Error{Code: core.Argument, Err: err}
		}
		*addr = addrOf(peer)
		return nil
	})
}

//export goAddrFormat
func goAddrFormat(addr *C.turnwasm_addr, text *C.char, room C.size_t) C.int {
	return guarded(nil, func() error {
		peer, err := peerOf(addr)
		if err != nil {
			return err
		}
		room = min(room, mostText)
		if s := peer.String(); C.size_t(len(s)) >= room {
			return &core.Error{Code: core.Argument, Err: fmt.Errorf("%q does not fit", s)}
		}
		copyText(unsafe.Slice(text, room), peer.String())
		return nil
	})
}

//export goRuntimeOpen
func goRuntimeOpen(c *C.turnwasm_runtime_config, h *C.turnwasm_runtime, e *C.turnwasm_error) C.int {
	return guarded(e, func() error {
		cfg := core.RuntimeConfig{Instances: int(c.instances), ClientsPerInstance: int(c.clients_per_instance)}
		if c.cache_dir != nil {
			dir := C.GoString(c.cache_dir)
			cfg.CacheDir = &dir
		}
		made, err := library.OpenRuntime(cfg)
		*h = C.turnwasm_runtime(made)
		return err
	})
}

//export goRuntimeClose
func goRuntimeClose(h C.turnwasm_runtime, within C.int, e *C.turnwasm_error) C.int {
	return guarded(e, func() error { return library.CloseRuntime(uint64(h), within != 0) })
}

//export goDial
func goDial(rt C.turnwasm_runtime, c *C.turnwasm_config, h *C.turnwasm_socket, e *C.turnwasm_error) C.int {
	return guarded(e, func() error {
		cfg, err := configOf(c)
		if err != nil {
			return err
		}
		made, err := library.Dial(uint64(rt), cfg)
		*h = C.turnwasm_socket(made)
		return err
	})
}

//export goSend
func goSend(h C.turnwasm_socket, data unsafe.Pointer, length C.size_t, peer *C.turnwasm_addr, e *C.turnwasm_error) C.int {
	return toPeer(h, peer, e, func(s *core.Socket, to netip.AddrPort) error {
		payload, err := bytesOf(data, length)
		if err != nil {
			return err
		}
		_, err = s.WriteToAddrPort(payload, to)
		return err
	})
}

//export goSendMany
func goSendMany(h C.turnwasm_socket, list *C.turnwasm_message, count C.size_t, e *C.turnwasm_error) C.int64_t {
	return counted(e, func() (int64, error) {
		s, err := library.Socket(uint64(h))
		if err != nil {
			return 0, err
		}
		ms, wrong := messagesOf(unsafe.Slice(list, count))
		if len(ms) == 0 {
			return 0, wrong
		}
		n, err := s.WriteBatch(ms)
		if n > 0 {
			err = nil // the next call answers it
		}
		return int64(n), err
	})
}

//export goReceive
func goReceive(h C.turnwasm_socket, list *C.turnwasm_message, count C.size_t, timeout C.int64_t, e *C.turnwasm_error) C.int64_t {
	return counted(e, func() (int64, error) {
		s, err := library.Socket(uint64(h))
		if err != nil {
			return 0, err
		}
		messages := unsafe.Slice(list, count)
		payloads := make([]core.Payload, min(len(messages), mostAtOnce))
		n, err := s.Receive(payloads, int64(timeout))
		for i := range payloads[:n] {
			m, p := &messages[i], &payloads[i]
			m.length = C.size_t(copy(unsafe.Slice((*byte)(m.data), min(m.length, core.MostPayload)), p.Data))
			m.peer, m.flags = addrOf(p.Peer), 0
			if int(m.length) < len(p.Data) {
				m.flags = C.TURNWASM_TRUNCATED
			}
		}
		return int64(n), err
	})
}

// mostText is longer than an address's.
const mostText = 64

// mostAtOnce payloads are taken by one call.
const mostAtOnce = 64

//export goFD
func goFD(h C.turnwasm_socket, events C.int, e *C.turnwasm_error) C.int {
	return C.int(counted(e, func() (int64, error) {
		s, err := library.Socket(uint64(h))
		if err != nil {
			return 0, err
		}
		fd := s.FD
		if events != 0 {
			fd = s.EventFD
		}
		n, err := fd()
		return int64(n), err
	}))
}

//export goSetCallback
func goSetCallback(h C.turnwasm_socket, f C.turnwasm_on_payload, user C.uintptr_t, within C.int, e *C.turnwasm_error) C.int {
	return with(h, e, func(s *core.Socket) error {
		if f == nil {
			return s.SetCallback(nil, within != 0)
		}
		return s.SetCallback(func(p *core.Payload) { call(f, user, h, p) }, within != 0)
	})
}

// nothing is what an empty payload points at: NULL is the end.
var nothing [1]byte

// call: user is the caller's, a pointer or not, so it is none to Go.
func call(f C.turnwasm_on_payload, user C.uintptr_t, h C.turnwasm_socket, p *core.Payload) {
	if p == nil {
		C.turnwasm_tell(f, user, h, nil, 0, nil)
		return
	}
	data := unsafe.Pointer(&nothing)
	if len(p.Data) > 0 {
		data = unsafe.Pointer(&p.Data[0])
	}
	from := addrOf(p.Peer)
	C.turnwasm_tell(f, user, h, data, C.size_t(len(p.Data)), &from)
}

//export goNextEvent
func goNextEvent(h C.turnwasm_socket, out *C.turnwasm_event, timeout C.int64_t, e *C.turnwasm_error) C.int {
	return with(h, e, func(s *core.Socket) error {
		event, err := s.NextEvent(int64(timeout))
		if err == nil {
			fillEvent(out, &event)
		}
		return err
	})
}

//export goInfo
func goInfo(h C.turnwasm_socket, i *C.turnwasm_info, e *C.turnwasm_error) C.int {
	return with(h, e, func(s *core.Socket) error {
		i.phase = C.uint32_t(s.Phase())
		i.relayed, i.additional, i.mapped = addrOf(s.Relayed()), addrOf(s.Additional()), addrOf(s.Mapped())
		i.local, i.server = addrOf(s.Local()), addrOf(s.Server())
		i.lifetime_ms = C.int64_t(s.Lifetime().Milliseconds())
		return nil
	})
}

//export goStats
func goStats(h C.turnwasm_socket, out *C.turnwasm_stats, e *C.turnwasm_error) C.int {
	return with(h, e, func(s *core.Socket) error {
		fillStats(out, s.Stats())
		return nil
	})
}

//export goRefresh
func goRefresh(h C.turnwasm_socket, timeout C.int64_t, e *C.turnwasm_error) C.int {
	return with(h, e, func(s *core.Socket) error { return s.Ask(int64(timeout), s.Refresh) })
}

//export goRebind
func goRebind(h C.turnwasm_socket, timeout C.int64_t, e *C.turnwasm_error) C.int {
	return with(h, e, func(s *core.Socket) error { return s.Ask(int64(timeout), s.Rebind) })
}

//export goPermit
func goPermit(h C.turnwasm_socket, peers *C.turnwasm_addr, count C.size_t, timeout C.int64_t, e *C.turnwasm_error) C.int {
	return with(h, e, func(s *core.Socket) error {
		var addrs []netip.Addr
		for _, p := range unsafe.Slice(peers, count) {
			peer, err := peerOf(&p)
			if err != nil {
				return err
			}
			addrs = append(addrs, peer.Addr())
		}
		return s.Permit(int64(timeout), addrs)
	})
}

//export goBind
func goBind(h C.turnwasm_socket, addr *C.turnwasm_addr, timeout C.int64_t, e *C.turnwasm_error) C.int {
	return toPeer(h, addr, e, func(s *core.Socket, peer netip.AddrPort) error {
		return s.Ask(int64(timeout), func(ctx context.Context) error { return s.BindChannel(ctx, peer) })
	})
}

//export goForbid
func goForbid(h C.turnwasm_socket, addr *C.turnwasm_addr, e *C.turnwasm_error) C.int {
	return toPeer(h, addr, e, func(s *core.Socket, peer netip.AddrPort) error { return s.RemovePermission(peer.Addr()) })
}

//export goUnbind
func goUnbind(h C.turnwasm_socket, addr *C.turnwasm_addr, e *C.turnwasm_error) C.int {
	return toPeer(h, addr, e, func(s *core.Socket, peer netip.AddrPort) error { return s.UnbindChannel(peer) })
}

//export goSetCredentials
func goSetCredentials(h C.turnwasm_socket, username, password *C.char, e *C.turnwasm_error) C.int {
	return with(h, e, func(s *core.Socket) error {
		return s.Authenticate(C.GoString(username), C.GoString(password))
	})
}

//export goClose
func goClose(h C.turnwasm_socket, linger C.int64_t, within C.int, v *C.turnwasm_closed, e *C.turnwasm_error) C.int {
	return guarded(e, func() error {
		closed, err := library.Close(uint64(h), int64(linger), within != 0)
		if err == nil {
			fillClosed(v, closed)
		}
		return err
	})
}
