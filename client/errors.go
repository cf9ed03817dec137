package client

import "errors"

// What commands answer. A command that answers an error has changed nothing.
var (
	// ErrClosed: Close was called.
	ErrClosed = errors.New("turn: client is closed")
	// ErrPhase: the command makes no sense in this phase (Allocate twice,
	// Refresh without an allocation).
	ErrPhase = errors.New("turn: not possible in this phase")
	// ErrTooLarge: the payload does not fit a TURN message.
	ErrTooLarge = errors.New("turn: payload too large")
	// ErrNoPermission: there is no permission for the peer, and
	// Config.AutoPermission is off.
	ErrNoPermission = errors.New("turn: no permission for this peer")
	// ErrQueueFull: a bounded queue is full; see limits.go.
	ErrQueueFull = errors.New("turn: queue is full")
	// ErrFamily: the peer is not of the relayed address's family; or, from
	// Allocate, the server has said that it does not support the family (440).
	ErrFamily = errors.New("turn: wrong address family")
	// ErrPeer: the address is not one that a peer can have.
	ErrPeer = errors.New("turn: not a peer's address")
	// ErrNoChannel: all channel numbers are in use or in quarantine; or, from
	// UnbindChannel, the peer has none.
	ErrNoChannel = errors.New("turn: no channel")
	// ErrLimit: a table is full; see limits.go.
	ErrLimit = errors.New("turn: too many peers")
	// ErrRelay: the allocation relays connections, or datagrams, and the command
	// is for the other kind; see Config.Relay.
	ErrRelay = errors.New("turn: not on an allocation of this relay transport")
	// ErrConnected: there is a connection to that peer, or one is being made.
	ErrConnected = errors.New("turn: there is a connection to this peer")
	// ErrNoConnection: no connection of that ID waits to be accepted.
	ErrNoConnection = errors.New("turn: no such connection")
	// ErrConfig is wrapped by every error that Init answers.
	ErrConfig = errors.New("turn: configuration")
	// ErrSnapshot is wrapped by what Snapshot and Restore answer: there is none to
	// be had now, or the bytes are none.
	ErrSnapshot = errors.New("turn: snapshot")
	// ErrEntropy: Config.Rand failed.
	ErrEntropy = errors.New("turn: no entropy")
)

// detailed is an error with what is the matter behind its text. Package fmt,
// which does the same and more, would be a tenth of the WebAssembly module.
type detailed struct {
	err  error
	what string
}

func (e *detailed) Error() string { return e.err.Error() + ": " + e.what }
func (e *detailed) Unwrap() error { return e.err }
