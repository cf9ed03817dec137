package bridge

import (
	"encoding/binary"
	"errors"
	"io"
)

// The first byte of a stream.
const (
	streamPackets = 'P'
	streamControl = 'C'
)

// Control frames from the bridge.
const (
	frameWelcome        = 1
	frameDeposited      = 2
	frameDepositRefused = 3
	framePathError      = 4
	frameGoingAway      = 5
)

// Control frames from the page.
const frameDeposit = 1

const (
	depositHeader = 4 // u32 milliseconds
	maxControl    = depositHeader + MaxDeposit
	maxPacket     = 65535
)

var errTooLarge = errors.New("a frame is too large")

// controlFrame makes a frame of the control stream.
func controlFrame(kind byte, value []byte) []byte {
	b := make([]byte, 3, 3+len(value))
	b[0] = kind
	binary.BigEndian.PutUint16(b[1:], uint16(len(value)))
	return append(b, value...)
}

// readControl reads a frame of the control stream. Its value is good until the
// next call with the same buffer.
func readControl(r io.Reader, buf []byte) (kind byte, value []byte, err error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(binary.BigEndian.Uint16(head[1:]))
	if n > len(buf) {
		return 0, nil, errTooLarge
	}
	_, err = io.ReadFull(r, buf[:n])
	return head[0], buf[:n], err
}

// packetFrame makes a frame of the packet stream.
func packetFrame(packet []byte) []byte {
	b := make([]byte, 2, 2+len(packet))
	binary.BigEndian.PutUint16(b, uint16(len(packet)))
	return append(b, packet...)
}

// readPacket reads a frame of the packet stream into buf, which grows to what
// is asked of it.
func readPacket(r io.Reader, buf []byte) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return buf, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > cap(buf) {
		buf = make([]byte, n)
	}
	_, err := io.ReadFull(r, buf[:n])
	return buf[:n], err
}

// isTURN: a STUN message or ChannelData, by its header.
//
// https://www.rfc-editor.org/rfc/rfc8656#section-12 table 3
func isTURN(b []byte) bool {
	const cookie = 0x2112A442
	switch {
	case len(b) < 4:
		return false
	case b[0] < 4:
		return len(b) >= 20 && binary.BigEndian.Uint32(b[4:]) == cookie
	}
	return b[0]>>4 == 4 && len(b)-4 >= int(binary.BigEndian.Uint16(b[2:]))
}
