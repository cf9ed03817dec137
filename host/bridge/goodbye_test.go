package bridge

import (
	"context"
	"errors"
	"testing"

	"github.com/quic-go/quic-go"
)

// TestTheConnectionSaysWhyToo, for who reads no capsule.
func TestTheConnectionSaysWhyToo(t *testing.T) {
	t.Parallel()
	r, b := newRig(t, nil, elsewhere), newBrowser(t)
	p, err := b.dial(soon(t), r.at, Path+"?server=turn:192.0.2.9", nil)
	if err != nil {
		t.Fatal(err)
	}
	<-p.quic.Context().Done()
	var end *quic.ApplicationError
	if err := context.Cause(p.quic.Context()); !errors.As(err, &end) || Code(end.ErrorCode) != CodeServer || end.ErrorMessage == "" || !end.Remote {
		t.Errorf("the connection ended with %v, want code %d and a reason", err, CodeServer)
	}
}
