package hosttest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CoturnBinary is the program's name in PATH.
const CoturnBinary = "turnserver"

// Coturn is a coturn process on loopback.
type Coturn struct {
	addr    netip.AddrPort
	secured netip.AddrPort
	cli     coturnCLI
	dir     string
	command []string
	process *process
}

var _ Server = (*Coturn)(nil)

const (
	coturnTries   = 3                // starts, for the case that somebody takes the port between choice and bind
	coturnReadyIn = 10 * time.Second // 45 ms in practice
	relayPorts    = 140              // the width of the relay range
)

// StartCoturn starts coturn and returns when it answers a STUN Binding request.
// flags are appended to its command line. The default configuration knows one
// user, relays on 127.0.0.1 and lets peers be on loopback.
func StartCoturn(ctx context.Context, flags ...string) (*Coturn, error) {
	return StartCoturnFrom(ctx, CoturnBinary, flags...)
}

// StartCoturnFrom is StartCoturn with a program of one's own: another version.
func StartCoturnFrom(ctx context.Context, program string, flags ...string) (*Coturn, error) {
	binary, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("%s is not installed (make deps installs it): %w", program, err)
	}
	if speaksLater(ctx, binary) {
		flags = inLater(flags)
	} else {
		flags = withoutTLS(flags)
	}
	for try := 1; ; try++ {
		c, err := startCoturn(ctx, binary, flags)
		if err == nil || try == coturnTries || ctx.Err() != nil {
			return c, err
		}
	}
}

func startCoturn(ctx context.Context, binary string, flags []string) (*Coturn, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "turnwasm-coturn-")
	if err != nil {
		return nil, err
	}
	c := &Coturn{
		addr: netip.AddrPortFrom(loopback, ports[0]), secured: netip.AddrPortFrom(loopback, ports[2]),
		cli: coturnCLI{addr: netip.AddrPortFrom(loopback, ports[1]), password: "x"},
		dir: dir,
	}
	c.command = append(append([]string{binary}, c.args(ports[2])...), flags...)
	if err := c.start(ctx); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return c, nil
}

// start returns when the process answers. One that does not is killed.
func (c *Coturn) start(ctx context.Context) (err error) {
	if c.process, err = startProcess(exec.Command(c.command[0], c.command[1:]...)); err != nil {
		return err
	}
	if err := c.ready(ctx); err != nil {
		err = fmt.Errorf("coturn does not answer: %w; its log ends with:\n%s", err, c.process.log.tail(2048))
		_ = c.process.kill()
		return err
	}
	return nil
}

// Restart kills the process and starts another one with the same addresses,
// which knows nothing of the allocations.
func (c *Coturn) Restart(ctx context.Context) error {
	if err := c.process.kill(); err != nil {
		return err
	}
	return c.start(ctx)
}

func (c *Coturn) args(tlsPort uint16) []string {
	low := 20000 + rand.IntN(12000-relayPorts) // below the ephemeral ports
	num := func(n int) string { return strconv.Itoa(n) }
	return []string{
		"-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "-p", num(int(c.addr.Port())),
		"--tls-listening-port=" + num(int(tlsPort)),
		"--min-port=" + num(low), "--max-port=" + num(low+relayPorts),
		"-a", "-u", Username + ":" + Password, "-r", Realm, "-f", "--allow-loopback-peers",
		"--cli-ip=127.0.0.1", "--cli-port=" + num(int(c.cli.addr.Port())), "--cli-password=" + c.cli.password,
		"--userdb=" + filepath.Join(c.dir, "turndb"), "--pidfile=" + filepath.Join(c.dir, "pid"),
		"--log-file=stdout", "--simple-log", "-v",
	}
}

// withoutTLS adds that there is neither TLS nor DTLS unless a certificate is
// given.
func withoutTLS(flags []string) []string {
	if hasCertificate(flags) {
		return flags
	}
	return append([]string{"--no-tls", "--no-dtls"}, flags...)
}

func hasCertificate(flags []string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, "--cert=") })
}

// speaksLater: later versions (4.18, not 4.6) have turned some flags round: what
// was switched off is switched on. The help says which.
func speaksLater(ctx context.Context, binary string) bool {
	help, _ := exec.CommandContext(ctx, binary, "--help").CombinedOutput() // its status is 1
	return bytes.Contains(help, []byte("\n --dtls"))
}

// inLater says to a later version what withoutTLS says to an earlier one, and
// that there is a command line interface.
func inLater(flags []string) []string {
	if hasCertificate(flags) {
		return append([]string{"--cli", "--dtls"}, flags...)
	}
	return append([]string{"--cli", "--no-tls"}, flags...)
}

// Secured is the address for clients over TLS and DTLS, when --cert and --pkey
// were given.
func (c *Coturn) Secured() netip.AddrPort { return c.secured }

// ready returns when the server answers, with an error when its process ends
// before that.
func (c *Coturn) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, coturnReadyIn, context.DeadlineExceeded)
	defer cancel()
	defer context.AfterFunc(c.process.ended, cancel)()
	probe, err := DialRaw(netip.AddrPort{}, c.addr)
	if err != nil {
		return err
	}
	defer probe.Close()
	if _, err := probe.Binding(ctx); err != nil {
		return err
	}
	return c.cli.ready(ctx)
}

// Name is "coturn".
func (c *Coturn) Name() string { return "coturn" }

// Addr is the address for clients: UDP, and TCP on the same port.
func (c *Coturn) Addr() netip.AddrPort { return c.addr }

// Held asks coturn's command line interface for its sessions.
func (c *Coturn) Held() (int, error) { return c.cli.held() }

// CancelAll makes coturn drop each of its sessions, as its administrator can:
// to their clients the allocations are gone without a word.
func (c *Coturn) CancelAll() error { return c.cli.cancelAll() }

// Log is what coturn has written so far.
func (c *Coturn) Log() string { return c.process.log.String() }

// Close kills the process: SIGTERM makes newer versions drain for seconds.
func (c *Coturn) Close() error {
	err := c.process.kill()
	if rmErr := os.RemoveAll(c.dir); err == nil {
		err = rmErr
	}
	return err
}

// freePorts finds n different ports of 127.0.0.1 that are free on UDP and TCP.
// All are held until all are found.
func freePorts(n int) ([]uint16, error) {
	var ports []uint16
	for tries := 0; len(ports) < n; tries++ {
		if tries == 100 {
			return nil, fmt.Errorf("no free ports on %s", loopback)
		}
		udp, err := listenLoopback(loopback)
		if err != nil {
			return nil, err
		}
		defer udp.Close()
		tcp, err := net.Listen("tcp", localAddr(udp).String())
		if err != nil {
			continue
		}
		defer tcp.Close()
		ports = append(ports, localAddr(udp).Port())
	}
	return ports, nil
}
