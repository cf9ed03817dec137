// Command quickstart relays one message through a TURN server and takes the
// allocation back. The server and the peer are started here, on loopback, so
// that it runs without any setting; in real life both are somebody else's.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	server, err := hosttest.StartPion(hosttest.PionOptions{})
	if err != nil {
		return err
	}
	defer server.Close()
	peer, err := hosttest.StartEcho(netip.Addr{})
	if err != nil {
		return err
	}
	defer peer.Close()

	rt, err := host.New(ctx) // compiles the module, once
	if err != nil {
		return err
	}
	defer rt.Close()
	conn, err := rt.Dial(ctx, host.Config{
		URL: "turn:" + server.Addr().String(), Username: hosttest.Username, Password: hosttest.Password,
	})
	if err != nil {
		return err
	}
	defer conn.Close()                                      // releases on every way out
	defer context.AfterFunc(ctx, func() { conn.Close() })() // and on a signal
	fmt.Println("relayed address:", conn.LocalAddr())

	if err := relay(conn, peer.Addr()); err != nil {
		return err
	}
	closed, err := conn.CloseWith(ctx, 2*time.Second)
	if err != nil {
		return err
	}
	held, err := server.Held()
	fmt.Printf("close: %s; the server holds %d allocations\n", closed.Outcome, held)
	return err
}

// relay sends a message through the server and waits for its echo. Any code
// that knows net.PacketConn can do it.
func relay(conn net.PacketConn, peer netip.AddrPort) error {
	if _, err := conn.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(peer)); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	buf := make([]byte, 1500)
	n, from, err := conn.ReadFrom(buf)
	if err != nil {
		return err
	}
	fmt.Printf("%s answers: %s\n", from, buf[:n])
	return nil
}
