package client

import (
	"bytes"
	"testing"
)

// frames cuts the bytes, handed in n at a time.
func frames(data []byte, n int) (out [][]byte, broken string, kept int) {
	var f framing
	for at := 0; at < len(data); {
		frame, took, why := f.cut(data[at:min(at+n, len(data))])
		if why != "" {
			return out, why, 0
		}
		if frame != nil {
			out = append(out, bytes.Clone(frame))
		}
		at += took
		kept = max(kept, cap(f.part))
	}
	return out, "", kept
}

// FuzzS01Framing: however a stream is cut, the same frames come out of it, and
// it is broken at the same one.
func FuzzS01Framing(f *testing.F) {
	stun := append([]byte{0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 16)...)
	data := []byte{0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0}
	f.Add(append(bytes.Clone(stun), data...), uint8(1))
	f.Add(append(bytes.Clone(data), stun...), uint8(3))
	f.Add([]byte{0x40, 0, 0xff, 0xff, 1}, uint8(1))
	f.Add([]byte{0, 1, 0xff, 0xfc, 0x21, 0x12, 0xa4, 0x43}, uint8(7))
	f.Fuzz(func(t *testing.T, data []byte, n uint8) {
		whole, why, _ := frames(data, len(data)+1)
		parts, why2, kept := frames(data, int(n)+1)
		if why != why2 || len(whole) != len(parts) {
			t.Fatalf("whole: %d frames, %q; in parts: %d, %q", len(whole), why, len(parts), why2)
		}
		for i := range whole {
			if !bytes.Equal(whole[i], parts[i]) {
				t.Fatalf("frame %d: % x in parts, % x whole", i, parts[i], whole[i])
			}
			if size, _ := frameSize(whole[i]); size != len(whole[i]) {
				t.Fatalf("frame %d of %d bytes says that it has %d", i, len(whole[i]), size)
			}
		}
		if kept > 2*maxFrame {
			t.Fatalf("%d bytes are kept", kept)
		}
	})
}

// I11: what is kept of a frame is never more than the longest one.
func TestS01KeepsOneFrame(t *testing.T) {
	for _, head := range [][]byte{{0x40, 0, 0xff, 0xff}, {0, 1, 0xff, 0xfc, 0x21, 0x12, 0xa4, 0x42}} {
		var f framing
		size, _ := frameSize(head)
		if size > maxFrame {
			t.Fatalf("a frame of %d bytes", size)
		}
		b := append(bytes.Clone(head), make([]byte, size)...) // and some of the next
		for i := range size {
			frame, took, broken := f.cut(b[i : i+1])
			if took != 1 || broken != "" || (frame != nil) != (i == size-1) || len(frame) != 0 && len(frame) != size {
				t.Fatalf("byte %d of %d: took %d, a frame of %d, %q", i, size, took, len(frame), broken)
			}
			if len(f.part) >= maxFrame {
				t.Fatalf("%d bytes are kept", len(f.part))
			}
		}
	}
}
