package abi

import (
	"errors"
	"strconv"

	"github.com/turnwasm/turnwasm/client"
)

// Errors of the boundary itself; the others are client's.
var (
	// ErrHandle: the handle is stale, of another instance, or never was one.
	ErrHandle = errors.New("turn: no such client")
	// ErrArgument: an argument is out of range or a record malformed.
	ErrArgument = errors.New("turn: bad argument")
	// ErrRoom: as many clients are alive as the instance holds.
	ErrRoom = errors.New("turn: no room for another client")
	// ErrMemory: three quarters of the instance's memory are in use.
	ErrMemory = errors.New("turn: the instance is short of memory")
	// ErrPanic: a bug of ours; that client is closed, the instance lives.
	ErrPanic = errors.New("turn: internal error in this client")
	// ErrUnsupported: a command or kind that this version does not know.
	ErrUnsupported = errors.New("turn: not supported by this version")
)

var codeErrors = []struct {
	code Code
	err  error
}{
	{CodeHandle, ErrHandle},
	{CodeArgument, ErrArgument},
	{CodeClosed, client.ErrClosed},
	{CodePhase, client.ErrPhase},
	{CodeLimit, client.ErrLimit},
	{CodeLimit, ErrRoom},
	{CodeLimit, ErrMemory},
	{CodeTooLarge, client.ErrTooLarge},
	{CodeNoPermission, client.ErrNoPermission},
	{CodeQueueFull, client.ErrQueueFull},
	{CodeFamily, client.ErrFamily},
	{CodePeer, client.ErrPeer},
	{CodeNoChannel, client.ErrNoChannel},
	{CodeConfig, client.ErrConfig},
	{CodeEntropy, client.ErrEntropy},
	{CodeSnapshot, client.ErrSnapshot},
	{CodePanic, ErrPanic},
	{CodeUnsupported, ErrUnsupported},
	{CodeRelay, client.ErrRelay},
	{CodeConnected, client.ErrConnected},
	{CodeNoConnection, client.ErrNoConnection},
}

// CodeOf is the code for an error of client or of this package; CodeArgument
// for any other.
func CodeOf(err error) Code {
	if err == nil {
		return CodeOK
	}
	for _, e := range codeErrors {
		if errors.Is(err, e.err) {
			return e.code
		}
	}
	return CodeArgument
}

// Err is the error for a code: nil for CodeOK and for positive answers,
// client's own error where it has one.
func (c Code) Err() error {
	if c >= 0 {
		return nil
	}
	for _, e := range codeErrors {
		if c == e.code {
			return e.err
		}
	}
	return errors.New("turn: error code " + strconv.Itoa(int(c)) + ", which this host does not know")
}
