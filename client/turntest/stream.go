package turntest

import (
	"encoding/binary"
	"errors"
)

// ErrNoFrame is what FrameSize answers where no message begins.
var ErrNoFrame = errors.New("turntest: neither STUN nor ChannelData begins here")

// FrameSize is how many bytes of a stream the message has that begins there,
// its padding included; 0 while too few are there to tell.
//
// "the first two bits of a STUN message are both zero", "the channel number [...]
// 0b01"; and over streams "the ChannelData message MUST be padded to a multiple of
// four bytes". https://www.rfc-editor.org/rfc/rfc8656#section-12.4
func FrameSize(stream []byte) (int, error) {
	if len(stream) == 0 {
		return 0, nil
	}
	isChannel := stream[0] >= minChannel>>8 && stream[0] <= maxChannel>>8
	switch {
	case !isChannel && stream[0] > 3:
		return 0, ErrNoFrame
	case len(stream) < 4:
		return 0, nil
	}
	length := int(binary.BigEndian.Uint16(stream[2:4]))
	if isChannel {
		return channelHeader + length + padding(length), nil
	}
	if length%4 != 0 {
		return 0, ErrNoFrame
	}
	if len(stream) < 8 {
		return 0, nil
	}
	if binary.BigEndian.Uint32(stream[4:8]) != 0x2112A442 {
		return 0, ErrNoFrame
	}
	return 20 + length, nil
}

// Deframer cuts a stream into its messages.
type Deframer struct{ kept []byte }

// Take answers how many of the bytes belong to the first message, and that
// message when it is whole with them. Without it they all do.
func (d *Deframer) Take(data []byte) (n int, frame []byte, err error) {
	for n < len(data) {
		d.kept = append(d.kept, data[n])
		n++
		size, err := FrameSize(d.kept)
		if err != nil {
			return len(data), nil, err
		}
		if size > 0 && size == len(d.kept) {
			frame, d.kept = d.kept, nil
			return n, frame, nil
		}
	}
	return n, nil, nil
}

// Framed is a message as a stream carries it. Its padding has no meaning, and is
// no zeros.
func Framed(message []byte) []byte {
	if len(message) == 0 || message[0]>>6 != 1 {
		return message
	}
	framed := append([]byte(nil), message...)
	for range padding(len(message)) {
		framed = append(framed, 0xEE)
	}
	return framed
}
