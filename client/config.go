package client

import (
	"io"
	"net/netip"
	"time"
)

// Flow names one 5-tuple or stream that the host owns. Flow 0 is the first
// control path; the machine asks for others by an event.
type Flow uint32

// Family is the address family of the relayed transport address.
type Family uint8

const (
	// FamilyDefault sends no REQUESTED-ADDRESS-FAMILY: IPv4.
	FamilyDefault Family = 0
	// FamilyIPv4 asks for IPv4 by the attribute.
	FamilyIPv4 Family = 1
	// FamilyIPv6 asks for IPv6.
	FamilyIPv6 Family = 2
)

// Config is what a client is made from. The zero value of a field is its
// default.
type Config struct {
	// Server is the server's transport address. Input from anywhere else is
	// ignored and counted.
	Server netip.AddrPort

	// Username and Password are the long-term credential, already prepared
	// (RFC 8265 OpaqueString). Both are copied; Free wipes the copies.
	Username []byte
	Password []byte

	// Family of the relayed transport address.
	Family Family
	// Lifetime to ask for; 0 leaves it to the server.
	Lifetime time.Duration

	// Software is sent in Allocate and Refresh; empty sends none.
	Software string
	// Fingerprint adds FINGERPRINT to requests.
	Fingerprint bool

	// RTO is the first retransmission time-out: 500 ms.
	RTO time.Duration
	// Rc is the number of sends of one request: 7. Rm is the wait after the
	// last send, in units of the RTO: 16.
	Rc, Rm int

	// RefreshCap is the longest time between two Refreshes; 0 leaves it to the
	// lifetime.
	RefreshCap time.Duration

	// AutoPermission makes Send create the permission that it lacks, and queue
	// the payload meanwhile.
	AutoPermission bool
	// Reclaim declares the local port the caller's own: an allocation found
	// there (437) is released and the Allocate repeated, once.
	Reclaim bool
	// Reallocate allocates anew by itself when the allocation is lost, with the
	// permissions and channels that it had.
	Reallocate bool

	// Rand gives the transaction IDs. It must be a CSPRNG outside of tests.
	Rand io.Reader
}
