//go:build !linux

package hosttest

import (
	"errors"
	"net/netip"
)

// FragmentationNeeded is the code for a datagram that is longer than a link.
const FragmentationNeeded = 4

// ICMP is not there.
func ICMP(byte, netip.AddrPort, netip.AddrPort) error { return errors.ErrUnsupported }
