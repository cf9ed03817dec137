package bridge

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"
)

// BenchmarkSessions opens 1,000 sessions to a bridge in another process and
// shows what one costs that process: memory while it is open, CPU to open it.
func BenchmarkSessions(b *testing.B) {
	const n = 1000
	for b.Loop() {
		at, bridge := benchBridge(b)
		browser := newBrowser(b)
		before := bridge.cost(b)
		pages := make([]*page, n)
		for i := range pages {
			p, err := browser.dial(soon(b), at, Path, nil)
			if err == nil {
				err = p.greet(soon(b))
			}
			if err != nil {
				b.Fatal(err)
			}
			pages[i] = p
		}
		after := bridge.cost(b)
		b.ReportMetric(float64(after.resident-before.resident)/n/1024, "KiB/session")
		b.ReportMetric((after.cpu-before.cpu)/n*1e6, "CPU-us/session")
		for _, p := range pages {
			p.die()
		}
		bridge.kill()
	}
}

// BenchmarkPackets sends packets of 1000 bytes through a session to a server
// that echoes, 16 at a time, and shows the CPU time of the bridge's process for
// each, there and back.
func BenchmarkPackets(b *testing.B) {
	at, bridge := benchBridge(b)
	p, err := newBrowser(b).dial(soon(b), at, Path, nil)
	if err == nil {
		err = p.greet(soon(b))
	}
	if err != nil {
		b.Fatal(err)
	}
	defer p.die()
	const window = 16
	packet, carried := channelData(1000), 0
	before := bridge.cost(b)
	for b.Loop() {
		for range window {
			if err := p.session.SendDatagram(packet); err != nil {
				b.Fatal(err)
			}
		}
		for range window {
			if _, err := p.session.ReceiveDatagram(soon(b)); err != nil {
				b.Fatalf("after %d: %v", carried, err)
			}
			carried++
		}
	}
	b.ReportMetric((bridge.cost(b).cpu-before.cpu)/float64(carried)*1e6, "CPU-us/packet")
}

// bridgeProcess is a bridge in a process of its own.
type bridgeProcess struct {
	pid  int
	kill func()
}

type cost struct {
	resident int     // bytes
	cpu      float64 // seconds
}

// benchBridge starts a bridge to a server that echoes.
func benchBridge(b *testing.B) (netip.AddrPort, *bridgeProcess) {
	b.Helper()
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		b.Skip("what another process costs is read from /proc")
	}
	server := silentServer(b)
	go echoAll(server)
	at, process, kill := child(b, fmt.Sprintf("bridge %v", server.LocalAddr()))
	return netip.MustParseAddrPort(at), &bridgeProcess{process.Pid, kill}
}

func echoAll(c *net.UDPConn) {
	buf := make([]byte, maxPacket)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		_, _ = c.WriteToUDPAddrPort(buf[:n], from)
	}
}

// cost reads resident memory (pages) and the CPU time (nanoseconds) of every
// thread.
func (p *bridgeProcess) cost(b *testing.B) cost {
	b.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(statm)[1]))
	if err != nil {
		b.Fatal(err)
	}
	c := cost{resident: pages * os.Getpagesize()}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, task := range tasks {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", p.pid, task.Name()))
		if err != nil {
			continue // a thread that has just ended
		}
		ns, _ := strconv.ParseFloat(string(bytes.Fields(stat)[0]), 64)
		c.cpu += ns / 1e9
	}
	return c
}
