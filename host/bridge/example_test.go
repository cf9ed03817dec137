package bridge_test

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"os"
	"os/signal"
	"time"

	"github.com/turnwasm/turnwasm/host/bridge"
)

// A bridge in a program of one's own, stopped by an interrupt.
func Example() {
	cert, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	b, err := bridge.New(bridge.Config{
		TLS:     &tls.Config{Certificates: []tls.Certificate{cert}},
		Servers: []string{"turn:turn.example.org"},
		Origins: []string{"https://www.example.org"},
	})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{Port: 4433})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	go func() {
		if err := b.Serve(conn); err != nil {
			log.Fatal(err)
		}
	}()
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-interrupted.Done()
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := b.Shutdown(grace); err != nil {
		log.Print("the bridge released for pages that did not: ", err)
	}
}
