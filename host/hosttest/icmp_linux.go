package hosttest

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ICMP tells the sender of a UDP datagram, as a router on its way would, that
// it is not delivered: Destination Unreachable with the code (RFC 792), for
// IPv4. The next hop's MTU is larger than any datagram, so that nothing is cut
// shorter for it. It needs CAP_NET_RAW, and answers EPERM without it.
func ICMP(code byte, from, to netip.AddrPort) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, unreachable(code, from, to), 0, &unix.SockaddrInet4{Addr: from.Addr().As4()})
}

// FragmentationNeeded is the code for a datagram that is longer than a link.
const FragmentationNeeded = 4

// unreachable is the message: eight bytes, and what we are to recognise the
// datagram by.
func unreachable(code byte, from, to netip.AddrPort) []byte {
	const destinationUnreachable, widest = 3, 65535
	b := make([]byte, 8+20+8)
	b[0], b[1] = destinationUnreachable, code
	binary.BigEndian.PutUint16(b[6:], widest)
	ip, udp := b[8:28], b[28:]
	ip[0], ip[8], ip[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(ip[2:], widest)
	source, target := from.Addr().As4(), to.Addr().As4()
	copy(ip[12:], source[:])
	copy(ip[16:], target[:])
	binary.BigEndian.PutUint16(udp[0:], from.Port())
	binary.BigEndian.PutUint16(udp[2:], to.Port())
	binary.BigEndian.PutUint16(udp[4:], 8)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}

// checksum is the Internet's (RFC 1071), of an even number of bytes.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
