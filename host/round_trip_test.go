package host_test

import (
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// T6: what a Conn has measured of the way to the server is the next one's before
// it has sent anything.
func TestRoundTripServesTheNextConn(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		cfg := config(server.Addr())
		cfg.MinRTO = time.Millisecond
		first := open(t, rt, cfg)
		if s := first.Stats(); s.RoundTrip.Smoothed != 0 || s.RTO != 500*time.Millisecond {
			t.Errorf("before anything was measured: %v, RTO %v", s.RoundTrip, s.RTO)
		}
		if err := first.Allocate(soon(t)); err != nil {
			t.Fatal(err)
		}
		known := first.Stats().RoundTrip
		if known.Smoothed <= 0 {
			t.Errorf("an allocation measures %v", known)
		}
		second := open(t, rt, cfg)
		if s := second.Stats(); s.RoundTrip != known || s.RTO < s.RoundTrip.Smoothed {
			t.Errorf("the next one begins with %v, RTO %v; the first has %v", s.RoundTrip, s.RTO, known)
		}
		other := newRuntime(t, rt.Engine())
		if s := open(t, other, cfg).Stats(); s.RoundTrip.Smoothed != 0 {
			t.Errorf("another Runtime knows of %v", s.RoundTrip)
		}
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	})
}
