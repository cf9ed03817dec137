package hosttest

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestTrafficGoesBothWays(t *testing.T) {
	traffic, err := NewTraffic(netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	relay, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	traffic.Start(relay, time.Millisecond)
	traffic.Mark()
	if err := traffic.Await(20); err != nil {
		t.Fatal(err)
	}
	if err := traffic.Stop(time.Second); err != nil {
		t.Fatal(err)
	}
	relay.Close()
	for _, s := range []*Stream{&traffic.ToPeer, &traffic.ToUs} {
		if s.Sent() < 20 || s.Lost() == s.Sent() || s.Recovery(traffic.Marked()) < 0 {
			t.Errorf("lost %d of %d, recovered in %v", s.Lost(), s.Sent(), s.Recovery(traffic.Marked()))
		}
	}
}

func TestStreamCounts(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	s := Stream{
		sent: []time.Time{at(0), at(10), at(20), at(30), at(40)},
		got:  []time.Time{at(1), {}, {}, at(60), at(41)},
	}
	if s.Sent() != 5 || s.Lost() != 2 || s.sentSince(at(15)) != 3 {
		t.Errorf("sent %d, lost %d, sent since %d", s.Sent(), s.Lost(), s.sentSince(at(15)))
	}
	if got := s.Recovery(at(15)); got != 45*time.Millisecond {
		t.Errorf("recovered in %v", got)
	}
	if got := s.Recovery(at(40)); got >= 0 {
		t.Errorf("nothing came, and yet recovered in %v", got)
	}
}
