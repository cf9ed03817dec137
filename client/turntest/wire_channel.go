package turntest

import (
	"encoding/binary"
	"errors"
)

// The range of channel numbers, and the size of the header in front of a
// ChannelData message's payload: number and length, two bytes each.
// https://www.rfc-editor.org/rfc/rfc8656#section-12
const (
	minChannel    = 0x4000
	maxChannel    = 0x4FFF
	channelHeader = 4
)

// ErrNotChannelData is what DecodeChannelData answers to anything else.
var ErrNotChannelData = errors.New("turntest: not ChannelData")

// ChannelData builds a ChannelData message for a datagram transport: unpadded.
func ChannelData(number uint16, payload []byte) []byte {
	b := make([]byte, 0, channelHeader+len(payload))
	b = binary.BigEndian.AppendUint16(b, number)
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return append(b, payload...)
}

// DecodeChannelData reads a ChannelData message. What stands behind the
// payload is padding and ignored.
func DecodeChannelData(datagram []byte) (number uint16, payload []byte, err error) {
	if len(datagram) < channelHeader {
		return 0, nil, ErrNotChannelData
	}
	number = binary.BigEndian.Uint16(datagram)
	end := channelHeader + int(binary.BigEndian.Uint16(datagram[2:]))
	if number < minChannel || number > maxChannel || end > len(datagram) {
		return 0, nil, ErrNotChannelData
	}
	return number, datagram[channelHeader:end], nil
}
