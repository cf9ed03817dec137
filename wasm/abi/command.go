package abi

import (
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
)

// Command is a command record. Which fields it needs stands at its Cmd.
type Command struct {
	Cmd                Cmd
	Peers              []netip.AddrPort
	Username, Password []byte
	AccessToken        []byte
	Connection         client.ConnectionID
}

// AppendCommand appends the record.
func AppendCommand(b []byte, c *Command) []byte {
	r := Record(b)
	r.U16(AttrCmd, uint16(c.Cmd))
	for _, p := range c.Peers {
		r.Addr(AttrPeer, p)
	}
	if c.Cmd == CmdSetCredentials || c.Cmd == CmdSetToken {
		r.Bytes(AttrUsername, c.Username)
		r.Bytes(AttrPassword, c.Password)
	}
	if c.Cmd == CmdSetToken {
		r.Bytes(AttrAccessToken, c.AccessToken)
	}
	if c.Cmd == CmdAcceptConnection {
		r.U32(AttrConnection, uint32(c.Connection))
	}
	return r
}

// Parse reads a record into c, whose Peers are used again. Username, Password
// and AccessToken are parts of rec.
func (c *Command) Parse(rec []byte) error {
	*c = Command{Peers: c.Peers[:0]}
	r := reader{rest: rec, repeats: AttrPeer}
	for a, ok := r.next(); ok; a, ok = r.next() {
		switch a.t {
		case AttrCmd:
			c.Cmd = Cmd(r.u16(a))
		case AttrPeer:
			c.Peers = append(c.Peers, r.addr(a))
		case AttrUsername:
			c.Username = a.value
		case AttrPassword:
			c.Password = a.value
		case AttrAccessToken:
			c.AccessToken = a.value
		case AttrConnection:
			c.Connection = client.ConnectionID(r.u32(a))
		}
	}
	if r.err == nil && !r.has(AttrCmd) {
		r.err = Detail(ErrArgument, "the record is no command")
	}
	return r.err
}

// AppendPeer appends the record of turn_peer.
func AppendPeer(b []byte, peer netip.AddrPort) []byte {
	r := Record(b)
	r.Addr(AttrPeer, peer)
	return r
}

// ParsePeer reads the record of turn_peer.
func ParsePeer(rec []byte) (peer netip.AddrPort, err error) {
	r := reader{rest: rec}
	for a, ok := r.next(); ok; a, ok = r.next() {
		if a.t == AttrPeer {
			peer = r.addr(a)
		}
	}
	if r.err == nil && !peer.IsValid() {
		r.err = Detail(ErrArgument, "the record names no peer")
	}
	return peer, r.err
}
