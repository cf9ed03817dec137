package bridge

import "fmt"

// Code says why the bridge ended a session (closeCode of WebTransport.closed).
type Code uint32

const (
	// CodeProtocol: what the page sent is not the protocol.
	CodeProtocol Code = 400
	// CodeToken: the bearer token is missing or wrong.
	CodeToken Code = 401
	// CodeServer: the TURN server is not on the bridge's list.
	CodeServer Code = 404
	// CodeIdle: no packet came from the page for too long.
	CodeIdle Code = 408
	// CodeTooLarge: a frame is longer than its kind allows.
	CodeTooLarge Code = 413
	// CodeAddressLimit: too many sessions from the page's address.
	CodeAddressLimit Code = 429
	// CodeFlood: the page goes on sending beyond its rates.
	CodeFlood Code = 430
	// CodeInternal: a fault of the bridge's, in this session.
	CodeInternal Code = 500
	// CodeSocket: no socket to the TURN server could be had.
	CodeSocket Code = 502
	// CodeSessionLimit: too many sessions in all.
	CodeSessionLimit Code = 503
	// CodeGoingAway: the bridge stops.
	CodeGoingAway Code = 1001
)

// labels are the codes' names in metrics and logs.
var labels = map[Code]string{
	0: "closed", CodeProtocol: "protocol", CodeToken: "token", CodeServer: "server",
	CodeIdle: "idle", CodeTooLarge: "too_large", CodeAddressLimit: "address_limit",
	CodeFlood: "flood", CodeInternal: "internal", CodeSocket: "socket", CodeSessionLimit: "session_limit",
	CodeGoingAway: "going_away",
}

func (c Code) String() string {
	if s, ok := labels[c]; ok {
		return s
	}
	return fmt.Sprintf("code_%d", uint32(c))
}

// ending is why a session is refused or ended.
type ending struct {
	code   Code
	reason string // for the page: a sentence without secrets
}

func endOf(code Code, format string, args ...any) *ending {
	return &ending{code, fmt.Sprintf(format, args...)}
}
