//go:build unix

package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Code is a TURNWASM_E_ of turnwasm.h.
type Code int32

// The codes of turnwasm.h.
const (
	OK           Code = 0
	Handle       Code = -1
	Argument     Code = -2
	Again        Code = -3
	Timeout      Code = -4
	Closed       Code = -5
	Request      Code = -6
	LeftAlone    Code = -7
	Lost         Code = -8
	Transport    Code = -9
	NoPermission Code = -10
	TooLarge     Code = -11
	QueueFull    Code = -12
	Address      Code = -13
	Limit        Code = -14
	Trapped      Code = -15
	Forked       Code = -16
	Internal     Code = -17
)

// Error is what went wrong, with its code.
type Error struct {
	Code
	Err error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

func refuse(code Code, format string, args ...any) error {
	return &Error{code, fmt.Errorf(format, args...)}
}

// codes are tried in turn: what is special comes before what it may be wrapped in.
var codes = []struct {
	is   error
	code Code
}{
	{host.ErrTrapped, Trapped}, {host.ErrLost, Lost}, {host.ErrLeftAlone, LeftAlone},
	{client.ErrNoPermission, NoPermission}, {client.ErrTooLarge, TooLarge}, {client.ErrQueueFull, QueueFull},
	{client.ErrPeer, Address}, {client.ErrFamily, Address}, {client.ErrLimit, Limit},
	{client.ErrConfig, Argument}, {client.ErrPhase, Argument}, {client.ErrNoChannel, Argument}, {abi.ErrArgument, Argument},
	{abi.ErrPanic, Internal}, {abi.ErrLayout, Internal},
	{net.ErrClosed, Closed}, {client.ErrClosed, Closed}, {context.DeadlineExceeded, Timeout}, {os.ErrDeadlineExceeded, Timeout},
}

// CodeOf is the code of an error of this package's or the host's.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	if code, is := known(err); is {
		return code
	}
	return Transport // a name, a socket, a certificate, the end of a stream
}

// known is the code of an error that says what it is.
func known(err error) (Code, bool) {
	if e, is := errors.AsType[*Error](err); is {
		return e.Code, true
	}
	for _, c := range codes {
		if errors.Is(err, c.is) {
			return c.code, true
		}
	}
	_, is := errors.AsType[*host.RequestError](err)
	return Request, is
}
