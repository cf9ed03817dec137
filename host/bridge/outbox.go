package bridge

import (
	"context"
	"io"
)

// outbox is what waits to be written to a stream: bounded, in order.
type outbox struct {
	ctx    context.Context // the session's
	frames chan []byte
}

func newOutbox(ctx context.Context, size int) *outbox {
	return &outbox{ctx, make(chan []byte, size)}
}

// offer is false when the outbox is full.
func (o *outbox) offer(frame []byte) bool {
	select {
	case o.frames <- frame:
		return true
	default:
		return false
	}
}

// put waits for room; it is false when the session is over.
func (o *outbox) put(frame []byte) bool {
	select {
	case o.frames <- frame:
		return true
	case <-o.ctx.Done():
		return false
	}
}

// run writes until the session is over.
func (o *outbox) run(w io.Writer) {
	for {
		select {
		case <-o.ctx.Done():
			return
		case frame := <-o.frames:
			if _, err := w.Write(frame); err != nil {
				return
			}
		}
	}
}
