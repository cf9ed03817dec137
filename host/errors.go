package host

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

var (
	// ErrUnsupported is wrapped by Dial's error for a URL that is right but asks
	// for what this version does not do yet.
	ErrUnsupported = errors.New("not supported yet")
	// ErrLeftAlone is what a *LeftAloneError wraps beside the answer.
	ErrLeftAlone = errors.New("the server is left alone")
	// ErrLost is wrapped by what ReadFrom and WriteTo answer when the server
	// does not hold the allocation any more.
	ErrLost = errors.New("the allocation is lost")
	// ErrTrapped is wrapped by what every call on a Conn answers whose
	// instance of the engine has trapped.
	ErrTrapped = errors.New("the engine has trapped")
)

// RequestError says that a request failed: by the server's answer (Code is not
// 0), by its silence, or by an error of the path.
type RequestError struct {
	Method string         // "Allocate", "CreatePermission", ...
	Server netip.AddrPort // whom it was sent to
	Peer   netip.AddrPort // for a permission (port 0) or a channel
	Code   int            // STUN error code; 0 = no answer that could be used
	Reason string         // the server's phrase, or a sentence that says what was tried
	Signed bool           // the answer carried a valid MESSAGE-INTEGRITY
	// Alternate is where a 300 to Allocate points; see Config.Redirected.
	// AlternateDomain is whose certificate is expected there, if the server says it.
	Alternate       netip.AddrPort
	AlternateDomain string
	// RetryAfter is how long to leave the server alone.
	RetryAfter time.Duration
	// Until is when the server lets go of what the request may have left
	// behind; zero when it left nothing.
	Until time.Time
}

// Error names the method, the code and what to do.
func (e *RequestError) Error() string {
	var b strings.Builder
	b.WriteString(e.Method)
	if e.Peer.IsValid() {
		b.WriteString(" for " + peerName(e.Peer))
	}
	b.WriteString(": ")
	b.WriteString(e.cause())
	if hint := advice(e.Method, e.Code); hint != "" {
		b.WriteString(": " + hint)
	}
	if !e.Until.IsZero() {
		b.WriteString("; " + e.doubt() + "the server may hold an allocation until " + e.Until.Format(time.TimeOnly))
	}
	return b.String()
}

// doubt says why an allocation may live although the server refused it.
func (e *RequestError) doubt() string {
	if e.Code == 0 || e.Code == 437 || e.Signed {
		return ""
	}
	return "the answer was not signed, and if it was forged "
}

func (e *RequestError) cause() string {
	reason := e.Reason
	if reason == "" {
		reason = phrases[e.Code]
	}
	if e.Code == 0 {
		return reason
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, reason))
}

// peerName leaves out a port that means nothing.
func peerName(peer netip.AddrPort) string {
	if peer.Port() == 0 {
		return peer.Addr().String()
	}
	return peer.String()
}

// phrases are the RFC's own, for servers that send none.
// https://www.rfc-editor.org/rfc/rfc8656#section-19
var phrases = map[int]string{
	0:   "failed",
	300: "Try Alternate",
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	420: "Unknown Attribute",
	437: "Allocation Mismatch",
	438: "Stale Nonce",
	440: "Address Family not Supported",
	441: "Wrong Credentials",
	442: "Unsupported Transport Protocol",
	443: "Peer Address Family Mismatch",
	446: "Connection Already Exists",
	447: "Connection Timeout or Failure",
	486: "Allocation Quota Reached",
	500: "Server Error",
	508: "Insufficient Capacity",
}

// hints say what the user of a program can do about a code.
var hints = map[int]string{
	300: "the server names another one, which was not followed: have redirects followed, or use that one's URL",
	400: "some servers answer a wrong password so: check username and password",
	401: "check username and password",
	403: "the server does not serve this client",
	437: "another allocation holds this local port: take another port or wait until it expires",
	438: "the server keeps changing its nonce: try again later",
	440: "the server does not relay this address family: ask for another",
	441: "the allocation belongs to another username: take another local port",
	442: "the server does not relay UDP: use another server",
	443: "the peer is of another address family than the relayed address",
	446: "there is a connection to that peer",
	447: "the server cannot connect to that peer: try again in 10 s",
	486: "this username's quota is used up: close other allocations, or wait a minute",
	500: "try again later",
	508: "the server has no port or capacity left: wait a minute or use another server",
}

func advice(method string, code int) string {
	ofPeer := method != methodAllocate && method != methodRefresh
	switch {
	case code == 400 && ofPeer:
		return ""
	case code == 403 && ofPeer:
		return "the server's policy refuses this peer"
	case code == 437 && method != methodAllocate:
		return "the server does not hold the allocation any more: dial again"
	}
	return hints[code]
}

const (
	methodAllocate = "Allocate"
	methodRefresh  = "Refresh"
)

// Closed is the verdict of a close.
type Closed struct {
	Outcome client.Outcome
	Reason  string // why it is not released; empty if it is
	// ReuseAfter is how long the local port should rest before the next
	// Allocate from it.
	ReuseAfter time.Duration
	// Until is when the server lets go of the allocation at the latest; zero
	// when it holds none.
	Until time.Time
}

// clean: the server holds nothing of ours, or somebody else's now.
func (c Closed) clean() bool {
	return c.Outcome == client.Released || c.Outcome == client.NothingToRelease || c.Outcome == client.HandedOver
}

// err is nil for a clean close.
func (c Closed) err() error {
	if c.clean() {
		return nil
	}
	return &CloseError{Closed: c}
}

// CloseError says that a close left something on the server, or may have.
type CloseError struct{ Closed Closed }

func (e *CloseError) Error() string {
	s := "close: " + e.Closed.Outcome.String()
	if e.Closed.Reason != "" {
		s += ": " + e.Closed.Reason
	}
	if !e.Closed.Until.IsZero() {
		s += ": the server may hold the allocation until " + e.Closed.Until.Format(time.TimeOnly)
	}
	return s
}
