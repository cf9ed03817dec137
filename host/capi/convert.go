//go:build cgo && unix

package main

// #include "turnwasm.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"
	"unsafe"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/capi/core"
)

// tell writes down what went wrong, and answers its code.
func tell(e *C.turnwasm_error, err error) C.int64_t {
	code := core.CodeOf(err)
	if e == nil {
		return C.int64_t(code)
	}
	*e = C.turnwasm_error{code: C.int32_t(code)}
	copyText(e.text[:], err.Error())
	if why, is := errors.AsType[*host.RequestError](err); is {
		e.stun_code = C.int32_t(why.Code)
		e.is_signed = flag(why.Signed)
		copyText(e.method[:], why.Method)
	}
	e.retry_after_ms = C.int64_t(core.RetryAfter(err, time.Now()).Milliseconds())
	e.until_ms = C.int64_t(core.Now(core.Until(err)))
	return C.int64_t(code)
}

func flag(on bool) C.int32_t {
	if on {
		return 1
	}
	return 0
}

// copyText cuts what is too long, between two characters, and ends with a zero.
func copyText(room []C.char, text string) {
	cut := text
	if len(cut) >= len(room) {
		end := 0
		for i := range cut {
			if i < len(room) {
				end = i
			}
		}
		cut = cut[:end]
	}
	for i := range len(cut) {
		room[i] = C.char(cut[i])
	}
	clear(room[len(cut):])
}

func addrOf(a netip.AddrPort) (out C.turnwasm_addr) {
	ip := a.Addr().Unmap()
	if !ip.IsValid() {
		return out
	}
	out.family = 6
	if ip.Is4() {
		out.family = 4
	}
	for i, b := range ip.AsSlice() {
		out.ip[i] = C.uint8_t(b)
	}
	out.port = C.uint16_t(a.Port())
	return out
}

func peerOf(a *C.turnwasm_addr) (netip.AddrPort, error) {
	var ip [16]byte
	for i, b := range a.ip {
		ip[i] = byte(b)
	}
	switch a.family {
	case 4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[:4])), uint16(a.port)), nil
	case 6:
		return netip.AddrPortFrom(netip.AddrFrom16(ip).Unmap(), uint16(a.port)), nil
	}
	return netip.AddrPort{}, &core.Error{Code: core.Address, Err: fmt.Errorf("an address of the family %d: want 4 or 6", a.family)}
}

// bytesOf is C's memory, for as long as the call.
func bytesOf(data unsafe.Pointer, length C.size_t) ([]byte, error) {
	if length > math.MaxUint16 {
		return nil, &core.Error{Code: core.TooLarge, Err: fmt.Errorf("%w: %d bytes", client.ErrTooLarge, length)}
	}
	return unsafe.Slice((*byte)(data), length), nil
}

// messagesOf are those before the first that is none.
func messagesOf(list []C.turnwasm_message) ([]host.Message, error) {
	ms := make([]host.Message, 0, len(list))
	for i := range list {
		peer, err := peerOf(&list[i].peer)
		if err != nil {
			return ms, err
		}
		payload, err := bytesOf(list[i].data, list[i].length)
		if err != nil {
			return ms, err
		}
		ms = append(ms, host.Message{Buffer: payload, Peer: peer})
	}
	return ms, nil
}

var families = map[C.uint32_t]client.Family{0: client.FamilyDefault, 4: client.FamilyIPv4, 6: client.FamilyIPv6, 46: client.FamilyBoth}

const knownFlags = C.TURNWASM_IMPATIENT<<1 - 1

func configOf(c *C.turnwasm_config) (cfg core.Config, err error) {
	refuse := func(format string, args ...any) (core.Config, error) {
		return cfg, &core.Error{Code: core.Argument, Err: fmt.Errorf(format, args...)}
	}
	family, ok := families[c.family]
	switch {
	case !ok:
		return refuse("family is 0, 4, 6 or 46, not %d", c.family)
	case c.flags&^knownFlags != 0:
		return refuse("flags: %#x is not known", uint32(c.flags&^knownFlags))
	case c.timeout_ms < 0 || c.lifetime_ms < 0 || c.keepalive_ms < 0 || c.rto_ms < 0:
		return refuse("a time is negative")
	}
	on := func(flag C.uint32_t) bool { return c.flags&flag != 0 }
	cfg.Config = host.Config{
		URL: C.GoString(c.url), Username: C.GoString(c.username), Password: C.GoString(c.password),
		LocalAddr: C.GoString(c.local_addr), ServerName: C.GoString(c.server_name), Software: C.GoString(c.software),
		Lifetime: core.Milliseconds(int64(c.lifetime_ms)), Linger: core.Milliseconds(int64(c.linger_ms)),
		Keepalive: core.Milliseconds(int64(c.keepalive_ms)), RTO: core.Milliseconds(int64(c.rto_ms)),
		Family: family, ReceiveQueue: int(c.receive_queue),
		Reallocate: on(C.TURNWASM_REALLOCATE), Mobility: on(C.TURNWASM_MOBILITY), NoAutoPermission: on(C.TURNWASM_NO_AUTO_PERMISSION),
		NoReclaim: on(C.TURNWASM_NO_RECLAIM), Anonymous: on(C.TURNWASM_ANONYMOUS), DontFragment: on(C.TURNWASM_DONT_FRAGMENT),
		Impatient: on(C.TURNWASM_IMPATIENT),
	}
	cfg.CAFile, cfg.Timeout = C.GoString(c.ca_file), int64(c.timeout_ms)
	return cfg, nil
}

func fillEvent(out *C.turnwasm_event, e *host.Event) {
	out.kind, out.at_ms = C.uint32_t(e.Kind), C.int64_t(core.Now(e.At))
	out.stun_code, out.is_signed = C.int32_t(e.Code), flag(e.Signed)
	out.peer, out.relayed, out.mapped = addrOf(e.Peer), addrOf(e.Relayed), addrOf(e.Mapped)
	out.channel = C.uint32_t(e.Channel)
	out.lifetime_ms, out.retry_after_ms = C.int64_t(e.Lifetime.Milliseconds()), C.int64_t(e.RetryAfter.Milliseconds())
	out.until_ms = C.int64_t(core.Now(e.Until))
	copyText(out.name[:], core.EventName(e.Kind))
	copyText(out.method[:], e.Method)
	copyText(out.reason[:], e.Reason)
}

func fillStats(out *C.turnwasm_stats, s host.Stats) {
	out.sent_messages, out.sent_bytes = C.uint64_t(s.SentMessages), C.uint64_t(s.SentBytes)
	out.received_messages, out.received_bytes = C.uint64_t(s.ReceivedMessages), C.uint64_t(s.ReceivedBytes)
	out.retransmissions = C.uint64_t(s.Retransmissions)
	out.payloads_sent, out.payloads_received = C.uint64_t(s.PayloadsSent), C.uint64_t(s.PayloadsReceived)
	out.payloads_dropped = C.uint64_t(s.PayloadsDropped)
	out.ignored = C.uint64_t(core.Ignored(s))
	out.payloads_unread, out.events_unread = C.uint64_t(s.PayloadsUnread), C.uint64_t(s.EventsUnread)
	out.round_trip_us, out.rto_ms = C.int64_t(s.RoundTrip.Smoothed.Microseconds()), C.int64_t(s.RTO.Milliseconds())
}

func fillClosed(out *C.turnwasm_closed, c host.Closed) {
	out.outcome = C.int32_t(c.Outcome)
	out.reuse_after_ms, out.until_ms = C.int64_t(c.ReuseAfter.Milliseconds()), C.int64_t(core.Now(c.Until))
	copyText(out.outcome_text[:], c.Outcome.String())
	copyText(out.reason[:], c.Reason)
}
