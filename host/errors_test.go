package host

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.Local)
	peer := netip.MustParseAddrPort("192.0.2.7:0")
	for want, err := range map[string]error{
		"Allocate: 401 Unauthorized: check username and password": &RequestError{Method: "Allocate", Code: 401},
		"Allocate: 401 go away: check username and password":      &RequestError{Method: "Allocate", Code: 401, Reason: "go away"},
		"Allocate: no answer to 7 requests in 39.5 s":             &RequestError{Method: "Allocate", Reason: "no answer to 7 requests in 39.5 s"},
		"CreatePermission for 192.0.2.7: 403 Forbidden: the server's policy refuses this peer": &RequestError{
			Method: "CreatePermission", Peer: peer, Code: 403},
		"Allocate: 400 Bad Request: some servers answer a wrong password so: check username and password; the answer was not signed, and if it was forged the server may hold an allocation until 12:00:00": &RequestError{
			Method: "Allocate", Code: 400, Until: noon},
		"Allocate: 699": &RequestError{Method: "Allocate", Code: 699},
		"close: unconfirmed: no answer: the server may hold the allocation until 12:00:00": &CloseError{Closed{
			Outcome: client.Unconfirmed, Reason: "no answer", Until: noon}},
	} {
		if err.Error() != want {
			t.Errorf("got  %s\nwant %s", err, want)
		}
	}
}

func TestOnlyACleanCloseIsNoError(t *testing.T) {
	for outcome, clean := range map[client.Outcome]bool{
		client.Released: true, client.NothingToRelease: true, client.Unconfirmed: false, client.Abandoned: false,
	} {
		if err := (Closed{Outcome: outcome}).err(); (err == nil) != clean {
			t.Errorf("%v: the error is %v", outcome, err)
		}
	}
}

// "Once the client gives up on the server, it SHOULD NOT try to create another
// allocation on the server for 2 minutes."
func TestResting(t *testing.T) {
	var r resting
	server := netip.MustParseAddrPort("192.0.2.1:3478")
	start := time.Now()
	r.note(start, &RequestError{Server: server, Code: 401})
	if err := r.check(start, server); err != nil {
		t.Errorf("after an answer that asks for nothing: %v", err)
	}
	r.note(start, &RequestError{Method: "Allocate", Server: server, Code: 437, RetryAfter: restAfterMismatch})
	for wait, rests := range map[time.Duration]bool{0: true, 119 * time.Second: true, 120 * time.Second: false} {
		err := r.check(start.Add(wait), server)
		if errors.Is(err, ErrLeftAlone) != rests {
			t.Errorf("%v later the error is %v", wait, err)
		}
		if why, is := errors.AsType[*RequestError](err); rests && (!is || why.Code != 437) {
			t.Errorf("%v later the error does not hold the answer: %v", wait, err)
		}
	}
	if err := r.check(start, netip.MustParseAddrPort("192.0.2.2:3478")); err != nil {
		t.Errorf("another server: %v", err)
	}
}

// The table is bounded, and what has the longest rest stays in it.
func TestRestingIsBounded(t *testing.T) {
	var r resting
	start := time.Now()
	server := func(i int) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(i)) }
	for i := 1; i <= 2*maxResting; i++ {
		r.note(start, &RequestError{Server: server(i), Code: 486, RetryAfter: time.Minute + time.Duration(i)*time.Second})
	}
	if len(r.servers) != maxResting {
		t.Errorf("%d servers are remembered, want %d", len(r.servers), maxResting)
	}
	last := server(2 * maxResting)
	why, is := errors.AsType[*LeftAloneError](r.check(start, last))
	if want := start.Add(time.Minute + 2*maxResting*time.Second); !is || !why.Until.Equal(want) {
		t.Errorf("the last one: %v, want it until %v", why, want)
	}
	if err := r.check(start, server(1)); err != nil {
		t.Errorf("the first one takes the last one's place: %v", err)
	}
}
