package instance

import (
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// stream hands bytes of a stream in, frame by frame. The descriptor's stride is
// of no meaning. A frame that came in parts lies in the machine's own memory,
// and its payload is handed out from control-out.
func (in *Instance) stream(slot int32, e *entry, v abi.View, off, n uint32) bool {
	for n > 0 {
		if !in.ready(slot, e) {
			v.SetSpan(off, n)
			return false
		}
		in.forget()
		data := in.lend(off, off+n, 0, v.Tag())
		took := uint32(e.client.HandleStream(in.now, client.Flow(v.Flow()), data))
		in.lend(off, off+took, 0, v.Tag()) // the frame ends there
		in.drain(slot, e)
		off, n = off+took, n-took
	}
	return true
}
