package host_test

import (
	"context"
	"fmt"
	"log"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// A payload goes through a TURN server to an echo peer and back.
func Example() {
	server, err := hosttest.StartPion(hosttest.PionOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	peer, err := hosttest.StartEcho(server.Addr().Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer peer.Close()

	ctx := context.Background()
	rt, err := host.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close()
	conn, err := rt.Dial(ctx, host.Config{
		URL: "turn:" + server.Addr().String(), Username: hosttest.Username, Password: hosttest.Password,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := conn.BindChannel(ctx, peer.Addr()); err != nil {
		log.Fatal(err)
	}
	if _, err := conn.WriteToAddrPort([]byte("hello"), peer.Addr()); err != nil {
		log.Fatal(err)
	}
	buf := make([]byte, 1500)
	n, from, err := conn.ReadFromAddrPort(buf)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(buf[:n]), from == peer.Addr())
	fmt.Println(conn.Close()) // nil: the server has said that the allocation is gone
	// Output:
	// hello true
	// <nil>
}
