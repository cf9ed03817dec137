package main

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// server is as much of a TURN server as one client of a benchmark needs: one
// allocation, its permission and its channel, with the long-term credential.
// It shares no code with the clients.
type server struct {
	local   netip.AddrPort
	key     []byte
	channel uint16
	peer    netip.AddrPort
}

const (
	serverNonce    = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" // 64 bytes
	serverLifetime = 10 * time.Minute
)

// relayed is the relayed address of every allocation: there is no such socket,
// as the far side is the peer as well.
var relayed = netip.MustParseAddrPort("127.0.0.1:49999")

func newServer(local netip.AddrPort) *server {
	return &server{local: local, key: turntest.LongTermKey(hosttest.Username, hosttest.Realm, hosttest.Password)}
}

// channelData reads a ChannelData message of the bound channel. What stands
// behind the payload is padding.
func (s *server) channelData(d []byte) (payload []byte, ok bool) {
	if len(d) < channelHeader || binary.BigEndian.Uint16(d) != s.channel {
		return nil, false
	}
	end := channelHeader + int(binary.BigEndian.Uint16(d[2:]))
	if end > len(d) {
		return nil, false
	}
	return d[channelHeader:end], true
}

// handle answers a request, and hands out an indication's payload.
func (s *server) handle(d []byte, from netip.AddrPort) (answer, indication []byte) {
	m, err := turntest.Decode(d)
	if err != nil {
		return nil, nil
	}
	if m.Class == turntest.Indication && m.Method == turntest.MethodSend {
		data, _ := m.Get(turntest.AttrData)
		return nil, data
	}
	if m.Class != turntest.Request {
		return nil, nil
	}
	if m.Method == turntest.MethodBinding {
		return turntest.Build(m.Method, turntest.Success, m.ID).
			Address(turntest.AttrXORMappedAddress, from).Datagram(), nil
	}
	if !m.Verify(s.key) {
		return turntest.Build(m.Method, turntest.Failure, m.ID).Error(401, "Unauthorized").
			Text(turntest.AttrRealm, hosttest.Realm).Text(turntest.AttrNonce, serverNonce).Datagram(), nil
	}
	return s.obey(m, from), nil
}

// obey answers a request of who has shown the password.
func (s *server) obey(m *turntest.Message, from netip.AddrPort) []byte {
	b := turntest.Build(m.Method, turntest.Success, m.ID)
	switch m.Method {
	case turntest.MethodAllocate:
		b.Address(turntest.AttrXORRelayedAddress, relayed).
			Address(turntest.AttrXORMappedAddress, from).Lifetime(serverLifetime)
	case turntest.MethodRefresh:
		lifetime, asked := m.Lifetime()
		if !asked || lifetime > serverLifetime {
			lifetime = serverLifetime
		}
		b.Lifetime(lifetime)
	case turntest.MethodChannelBind:
		s.channel, _ = m.Channel()
		s.peer, _ = m.Address(turntest.AttrXORPeerAddress)
	}
	return b.Integrity(s.key).Datagram()
}
