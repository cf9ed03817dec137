package client

import "encoding/binary"

// maxFrame is the longest frame of a stream: a STUN message whose length field
// says all it can, 65532, or ChannelData of 65535 bytes with its padding.
const maxFrame = messageHeader + 65532

// framing cuts a byte stream into STUN messages and ChannelData. It keeps the
// beginning of one whose end has not come; that is less than maxFrame bytes.
type framing struct{ part []byte }

// cut answers the first frame of what it keeps and data, and how many bytes of
// data it took. Without a frame it took all of data. A frame that lies in data
// is a part of it, and its capacity ends with it.
func (f *framing) cut(data []byte) (frame []byte, took int, broken string) {
	if len(f.part) == 0 {
		size, broken := frameSize(data)
		if broken != "" {
			return nil, len(data), broken
		}
		if size != 0 && size <= len(data) {
			return data[:size:size], size, ""
		}
	}
	for took < len(data) {
		size, broken := frameSize(f.part)
		if broken != "" {
			return nil, len(data), broken
		}
		more := size - len(f.part)
		if size == 0 {
			more = 1 // the header, byte by byte: nothing behind the frame may come in
		}
		more = min(more, len(data)-took)
		f.part = append(f.part, data[took:took+more]...)
		took += more
		if size != 0 && len(f.part) == size {
			break
		}
	}
	return f.whole(took, len(data))
}

// whole answers what is kept if it is a whole frame.
func (f *framing) whole(took, all int) (frame []byte, _ int, broken string) {
	size, broken := frameSize(f.part)
	if broken != "" {
		return nil, all, broken
	}
	if size != 0 && size == len(f.part) {
		frame, f.part = f.part, nil
	}
	return frame, took, ""
}

// frameSize is the size of the frame that begins with b, 0 while that cannot be
// told, or what is wrong with it.
//
//	"Over TCP and TLS-over-TCP, the ChannelData message MUST be padded to a
//	multiple of four bytes in order to ensure the alignment of subsequent
//	messages."
//
// https://www.rfc-editor.org/rfc/rfc8656#section-12.5
func frameSize(b []byte) (size int, broken string) {
	switch {
	case len(b) == 0:
		return 0, ""
	case b[0]>>4 == 4:
		if len(b) < channelHeader {
			return 0, ""
		}
		return channelHeader + (int(binary.BigEndian.Uint16(b[2:]))+3)&^3, ""
	case b[0] >= 4:
		return 0, "a byte that begins neither a STUN message nor ChannelData"
	case len(b) >= 4 && b[3]&3 != 0:
		return 0, "a STUN message whose length is no multiple of 4"
	case len(b) >= 8 && binary.BigEndian.Uint32(b[4:]) != magicCookie:
		return 0, "a STUN message without the magic cookie"
	case len(b) < 8:
		return 0, ""
	}
	return messageHeader + int(binary.BigEndian.Uint16(b[2:])), ""
}
