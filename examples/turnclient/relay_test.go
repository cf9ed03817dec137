package main

import (
	"net"
	"testing"

	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// A connection through the relay, either way round.
func TestRelayTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pion := ht.NeedPion(t, ht.PionOptions{Listeners: []net.Listener{listener}})
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		echoOne(outside)
	}()
	url := listener.Addr().String() + "?transport=tcp"
	for _, args := range [][]string{nil, {"-peer", outside.Addr().String()}} {
		args = append(args, "-relay-tcp", "-unsigned-bind", "-n", "5", "-size", "20000", "-engine", "native")
		got, code := turnclientAt(t, url, args...)
		wantEvents(t, got, "allocated", "echoed", "closed")
		if code != 0 || got[1].Received != 5 || got[2].Outcome != "released" {
			t.Errorf("%v: exit %d, %+v", args, code, got)
		}
	}
	<-echoed
	outside.Close()

	got, code := turnclientAt(t, url, "-relay-tcp", "-n", "5", "-engine", "native")
	wantEvents(t, got, "allocated", "echoed", "failed", "closed")
	if code != 1 {
		t.Errorf("without -unsigned-bind: exit %d, %+v", code, got)
	}
	if n, err := pion.Held(); n != 0 || err != nil {
		t.Errorf("the server holds %d, %v", n, err)
	}
}
