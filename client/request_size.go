package client

import "github.com/pion/stun/v3"

const (
	stunHeader = 20
	wordSize   = 8 // an attribute of 4 bytes
)

// A request's buffer is made as large as the request, so that nothing is moved
// or left over: with thousands of clients that is the collector's work.

// attributeSize is what an attribute of n bytes takes.
func attributeSize(n int) int { return 4 + (n+3)&^3 }

// peerSize is what one XOR-PEER-ADDRESS takes.
func (c *Client) peerSize() int {
	if o := c.cfg.options; c.cfg.family == FamilyIPv6 || o != nil && o.both {
		return attributeSize(20)
	}
	return attributeSize(8)
}

// headSize is what every request begins with.
func (c *Client) headSize() int {
	if c.cfg.software == "" {
		return stunHeader
	}
	return stunHeader + attributeSize(len(c.cfg.software))
}

// bodySize is what the request's own attributes take, at most.
func (c *Client) bodySize(tx *transaction) int {
	switch tx.purpose.method() {
	case stun.MethodAllocate:
		return 3*wordSize + c.emptyTicketSize() + c.cfg.options.size()
	case stun.MethodCreatePermission:
		return len(tx.peers) * c.peerSize()
	case stun.MethodChannelBind:
		return wordSize + c.peerSize()
	case stun.MethodConnect:
		return c.peerSize()
	}
	if tx.ticketed {
		return wordSize + attributeSize(len(c.ticketAtHand()))
	}
	return wordSize
}

func (c *Client) emptyTicketSize() int {
	if c.asksTicket() {
		return attributeSize(0)
	}
	return 0
}

// ticketSize is what the ticket takes in a release on the present flow.
func (c *Client) ticketSize() int {
	if ticket := c.ticket(); len(ticket) > 0 {
		return attributeSize(len(ticket))
	}
	return 0
}

// sealSize is what seal adds.
func (c *Client) sealSize(signer *credential, nonce string) (n int) {
	if signer != nil {
		n = signer.size(nonce)
	}
	if c.cfg.fingerprint {
		n += wordSize
	}
	return n
}
