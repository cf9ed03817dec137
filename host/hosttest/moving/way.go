package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
)

// way is how the client's address changes.
type way interface {
	fmt.Stringer
	// before is the server's address, and the client's at first.
	before(ctx context.Context) (server, client netip.Addr, err error)
	// change changes it, and returns when the allocation has moved.
	change(ctx context.Context, c *host.Conn) error
}

// rebinding is the caller's word.
type rebinding struct{}

var first, second = netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")

func (rebinding) String() string { return fmt.Sprintf("RebindFrom, %v -> %v", first, second) }

func (rebinding) before(context.Context) (server, client netip.Addr, err error) {
	return first, first, nil
}

func (rebinding) change(ctx context.Context, c *host.Conn) error { return c.RebindFrom(ctx, second) }

// removal takes the address away: the host finds out when it sends.
type removal struct{}

var wire, removed = netip.MustParseAddr("10.254.254.1"), netip.MustParseAddr("10.254.254.254")

func (removal) String() string { return fmt.Sprintf("%v removed", removed) }

// isolate makes the network of the namespace. What the server sends to an address
// that is gone has to get lost on a wire, as it does on a real path: else the
// server would be told, and drop the allocation.
func isolate(ctx context.Context) error {
	for _, words := range []string{
		"link set lo up", "link add veth0 type veth peer name veth1", "link set veth0 up", "link set veth1 up",
		"addr add " + wire.String() + "/24 dev veth0", "neigh add " + removed.String() + " lladdr 02:00:00:00:00:01 dev veth0 nud permanent",
	} {
		if err := ip(ctx, words); err != nil {
			return err
		}
	}
	return nil
}

func (removal) before(ctx context.Context) (server, client netip.Addr, err error) {
	return wire, removed, ip(ctx, "addr add "+removed.String()+"/32 dev lo")
}

func (removal) change(ctx context.Context, c *host.Conn) error {
	if err := ip(ctx, "addr del "+removed.String()+"/32 dev lo"); err != nil {
		return err
	}
	for {
		select {
		case e, open := <-c.Events():
			switch {
			case !open, e.Kind == client.RebindFailed:
				return fmt.Errorf("not moved: %d %s", e.Code, e.Reason)
			case e.Kind == client.Rebound:
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func ip(ctx context.Context, words string) error {
	if out, err := exec.CommandContext(ctx, "ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", words, err, bytes.TrimSpace(out))
	}
	return nil
}

func lastLine(text []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return lines[len(lines)-1]
}
