package bridge

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/quic-go/quic-go"
)

// childVariable makes this test binary a browser of its own: BRIDGE QUERY COUNT.
const childVariable = "TURNWASM_BRIDGE_CHILD"

// runChild opens pages, allocates on each, says so and waits to be killed.
func runChild(task string) int {
	words := strings.Fields(task)
	count, err := strconv.Atoi(words[2])
	if err == nil {
		err = openPages(netip.MustParseAddrPort(words[0]), words[1], count)
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // the parent's end ends us too
	return 0
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
