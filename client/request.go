package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// build makes the bytes of a request. Whoever builds it again gets the same.
func (c *Client) build(tx *transaction) []byte {
	m := c.newMessage(tx.purpose.method(), tx.id, c.bodySize(tx)+tx.signer.tokenSize(tx.purpose.method())+c.sealSize(tx.signer, tx.nonce))
	switch tx.purpose {
	case forAllocate:
		c.addAllocate(m)
	case forRefresh, forProbe, forMove:
		c.addLifetime(m)
	case forRelease, forReclaim:
		added(m, lifetime(0).AddTo(m))
	case forPermission:
		for _, addr := range tx.peers {
			addPeer(m, netip.AddrPortFrom(addr, 0))
		}
	case forChannel:
		added(m, channelNumber(tx.number).AddTo(m))
		addPeer(m, c.channelBy(tx.number).peer)
	case forConnect:
		addPeer(m, c.numbered(tx.number).peer)
	case forBind:
		addConnectionID(m, c.numbered(tx.number).id)
	}
	if tx.ticketed {
		addBytes(m, attrMobilityTicket, c.ticketAtHand())
	}
	c.seal(m, tx.signer, tx.nonce)
	return m.Raw
}

// newMessage begins a message into which room bytes of attributes go, beside
// its SOFTWARE.
func (c *Client) newMessage(method stun.Method, id transactionID, room int) *stun.Message {
	return c.newMessageIn(make([]byte, 0, c.headSize()+room), method, id)
}

// newMessageIn is newMessage in a buffer that is there.
func (c *Client) newMessageIn(buf []byte, method stun.Method, id transactionID) *stun.Message {
	m := &stun.Message{
		Raw: buf, Type: stun.NewType(method, stun.ClassRequest), TransactionID: id,
		Attributes: make(stun.Attributes, 0, 1),
	}
	m.WriteHeader()
	// "The client SHOULD include the SOFTWARE attribute in all Allocate and
	// Refresh requests". https://www.rfc-editor.org/rfc/rfc8656#section-5
	if c.cfg.software != "" && (method == stun.MethodAllocate || method == stun.MethodRefresh) {
		added(m, stun.NewSoftware(c.cfg.software).AddTo(m))
	}
	return m
}

// seal signs, then adds FINGERPRINT, which is always the last one.
func (c *Client) seal(m *stun.Message, signer *credential, nonce string) {
	if signer != nil {
		signer.addTo(m, nonce)
	}
	if c.cfg.fingerprint {
		added(m, stun.Fingerprint.AddTo(m))
	}
}

// added ends the addition of an attribute whose size was checked when it came
// in. It takes no stun.Setter: behind an interface all methods of the types are
// kept, and the module becomes a sixth larger.
func added(m *stun.Message, err error) {
	if err != nil {
		panic(err)
	}
	forgetAttributes(m)
}

// addBytes is for an attribute that is given by its value.
func addBytes(m *stun.Message, t stun.AttrType, value []byte) {
	m.Add(t, value)
	forgetAttributes(m)
}

// forgetAttributes empties the list, which serves those who read a message: it
// would grow to more than the message.
func forgetAttributes(m *stun.Message) { m.Attributes = m.Attributes[:0] }

// addAllocate: "The client MUST include a REQUESTED-TRANSPORT attribute in the
// request." https://www.rfc-editor.org/rfc/rfc8656#section-7.1
func (c *Client) addAllocate(m *stun.Message) {
	added(m, c.relayedTransport().AddTo(m))
	if c.cfg.family != FamilyDefault {
		added(m, requestedFamily(c.cfg.family).AddTo(m))
	}
	c.cfg.options.addTo(m)
	c.addLifetime(m)
	if c.asksTicket() {
		addBytes(m, attrMobilityTicket, nil)
	}
}

func (c *Client) addLifetime(m *stun.Message) {
	if c.cfg.lifetime > 0 {
		added(m, lifetime(c.cfg.lifetime).AddTo(m))
	}
}

// permissionsPerRequest is how many peers fit the request (T14).
func (c *Client) permissionsPerRequest() int {
	limit := maxControlIPv4
	if c.cfg.server.Addr().Is6() {
		limit = maxControlIPv6
	}
	return max(1, (limit-stunHeader-c.sealSize(c.auth.signer, c.auth.nonce))/c.peerSize())
}

// newID draws a transaction ID: "the transaction ID MUST be uniformly and
// randomly chosen from the interval 0 .. 2**96-1 and MUST be cryptographically
// random." https://www.rfc-editor.org/rfc/rfc8489#section-5
//
// Without entropy the client ends: it sends the release whose ID was drawn
// beforehand.
func (c *Client) newID(now time.Duration) (id transactionID, ok bool) {
	if c.draw(id[:]) != nil {
		c.dieOfEntropy(now)
		return id, false
	}
	return id, true
}
