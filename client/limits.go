package client

import "time"

// The bounds of everything that a peer, a server or a caller could make grow.
// PROTOCOL.md row I11 lists them; each has a test at the bound and beyond.
const (
	maxRequests      = 10       // outstanding requests (RFC 8489 section 6.2.1); the rest wait
	maxPermissions   = 1024     // permissions
	maxChannels      = 4096     // 0x4000 to 0x4FFF
	maxWaiting       = 64       // permissions and channels that wait for the allocation
	maxQueuedPerPeer = 32       // payloads that wait for a permission, one peer
	maxQueuedBytes   = 64 << 10 // the same in bytes
	maxQueuedTotal   = 1 << 20  // the same in bytes, all peers
	maxPending       = 64       // connections of either kind, ours and peers', that are not bound
	maxConnections   = 1024     // those that are bound, too
	maxForgone       = 4        // given-up requests whose late success matters
	maxResigned      = 3        // new signatures of one request after 438
	maxServerErrors  = 4        // new requests after a 5xx
	maxPorts         = 3        // local ports to try after 437
	maxText          = 763      // REALM, NONCE, SOFTWARE and the reason phrase, in bytes
	maxUsername      = 508      // USERNAME, in bytes (RFC 8489 section 14.3: less than 509)
	maxToken         = 508      // ACCESS-TOKEN, in bytes
	maxAlgorithms    = 64       // PASSWORD-ALGORITHMS, in bytes: every request echoes it
	maxTicket        = 256      // MOBILITY-TICKET, in bytes; a longer one is as if absent
	maxReason        = 128      // what an event keeps of a reason phrase
	maxMessage       = 65507    // a UDP datagram's payload
	maxLifetime      = 1 << 31 * time.Second
	maxNow           = 1 << 61 * time.Nanosecond // 73 years
	maxControlIPv4   = 548                       // RFC 8489 section 6.1: 576 less IP and UDP headers
	maxControlIPv6   = 1232                      // 1280 less IP and UDP headers
	firstServerPause = time.Second               // after a 5xx; doubles
	requestPause     = 5 * time.Second           // after a request that may be tried again failed
	quotaPause       = time.Minute
	mismatchPause    = 2 * time.Minute
	datagramReuse    = 2 * time.Second // coturn answers 437 for 1 to 2 s after it released
	assumedLifetime  = 600 * time.Second
	refreshLead      = time.Minute
	refreshMinimum   = time.Second
	defaultRTO       = 500 * time.Millisecond
	defaultRc        = 7
	defaultRm        = 16
	maxSends         = 16 // Rc at most
	maxWaits         = 64 // Rm at most
	maxRTO           = time.Minute
)
