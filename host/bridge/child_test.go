package bridge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/quic-go/quic-go"
)

// childVariable makes this test binary another program: "pages BRIDGE QUERY
// COUNT" is a browser, "bridge SERVER" a bridge.
const childVariable = "TURNWASM_BRIDGE_CHILD"

// runChild does its task, says so in one line and waits to be killed.
func runChild(task string) int {
	words := strings.Fields(task)
	said, err := "ready", error(nil)
	switch words[0] {
	case "pages":
		count, _ := strconv.Atoi(words[3])
		err = openPages(netip.MustParseAddrPort(words[1]), words[2], count)
	case "bridge":
		said, err = startBridge(words[1])
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println(said)
	_, _ = io.Copy(io.Discard, os.Stdin) // the parent's end ends us too
	return 0
}

// startBridge answers where it listens.
func startBridge(server string) (at string, err error) {
	cert, _, err := DevCertificate()
	if err != nil {
		return "", err
	}
	b, err := New(Config{
		TLS: tlsOf(cert), Servers: []string{"turn:" + server}, Origins: []string{pageOrigin},
		Limits:  Limits{Sessions: 10000, SessionsPerAddress: 10000, PacketsPerSecond: 1e6, BytesPerSecond: 1e9, Start: time.Minute},
		Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		return "", err
	}
	conn, err := net.ListenUDP("udp", netUDP(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		return "", err
	}
	go b.Serve(conn)
	return conn.LocalAddr().String(), nil
}

// child starts this test binary for a task and answers the line that it says;
// kill kills it.
func child(t testing.TB, task string) (said string, process *os.Process, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+task)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // by its pid: no goodbye of any kind
		_ = cmd.Wait()
		in.Close()
	})
	t.Cleanup(kill)
	said, err = bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(said, "failed") {
		t.Fatalf("the child says %q, %v", said, err)
	}
	return strings.TrimSpace(said), cmd.Process, kill
}

func openPages(at netip.AddrPort, query string, count int) error {
	conn, err := net.ListenUDP("udp", netUDP(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		return err
	}
	b := &browser{transport: &quic.Transport{Conn: conn}, origin: pageOrigin}
	for range count {
		p, err := b.open(context.Background(), at, query)
		if err != nil {
			return err
		}
		if _, err := p.allocate(context.Background()); err != nil {
			return err
		}
		if err := p.settle(context.Background()); err != nil {
			return err
		}
	}
	return nil
}
