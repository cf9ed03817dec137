package host_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// locked is a buffer that many goroutines write to.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// A whole life, and a failed one, with everything on that writes: neither the
// password nor a nonce is in the log, in an event or in an error; the password
// is not in the trace.
func TestNoSecretsAreWritten(t *testing.T) {
	var log locked
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		proxy := hosttest.NeedProxy(t, server)
		var file bytes.Buffer
		trace, err := host.NewTrace(&file)
		if err != nil {
			t.Fatal(err)
		}
		cfg := quick(proxy.Addr())
		cfg.Trace = trace
		c := dial(t, rt, cfg)
		local := c.Local()
		if err := c.Refresh(soon(t)); err != nil {
			t.Fatalf("Refresh: %v", err)
		}
		wantClosed(t, c, time.Second, client.Released)
		var said strings.Builder
		for e := range c.Events() {
			fmt.Fprintf(&said, "%+v %v\n", e, e.LogValue())
		}
		cfg.Password, cfg.Trace = "the wrong one", nil
		_, err = rt.Dial(soon(t), cfg)
		fmt.Fprintln(&said, err)
		log.mu.Lock()
		said.Write(log.buf.Bytes())
		log.mu.Unlock()

		secrets := []string{hosttest.Password + `"`, "the wrong one"}
		for _, r := range proxy.Log() {
			if r.Nonce != "" {
				secrets = append(secrets, r.Nonce)
			}
		}
		if len(secrets) < 3 {
			t.Fatal("no nonce passed the proxy")
		}
		for _, secret := range secrets {
			if strings.Contains(said.String(), secret) {
				t.Errorf("%q is in what was written", secret)
			}
		}
		for _, want := range []string{"turn: Allocated", "turn: Closed", "turn: counts", "turn: AllocateFailed"} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("the log does not say %q", want)
			}
		}
		if bytes.Contains(file.Bytes(), []byte(hosttest.Password)) {
			t.Error("the password is in the trace")
		}
		wantTraced(t, &file, local, proxy)
	}, host.WithLogger(logger))
}

// wantTraced compares the trace with what the proxy saw of that client.
func wantTraced(t *testing.T, file io.Reader, local netip.AddrPort, proxy *hosttest.Proxy) {
	t.Helper()
	var want []string
	for _, r := range proxy.Log() {
		if r.Client == local {
			want = append(want, fmt.Sprintf("%v %x", r.ToServer, r.Data))
		}
	}
	r, err := pcapgo.NewNgReader(file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		data, _, err := r.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(data, layers.LayerTypeIPv4, gopacket.Default)
		udp := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
		got = append(got, fmt.Sprintf("%v %x", uint16(udp.SrcPort) == local.Port(), udp.Payload))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the trace has %d datagrams, the wire had %d:\n%s\n--\n%s", len(got), len(want),
			strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
