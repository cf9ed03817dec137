//go:build !race

package host

import (
	"net"
	"testing"
)

func TestTransportAllocatesNothing(t *testing.T) {
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		in := &discard{room: make([]byte, maxDatagram)}
		run, each, datagram := make([]byte, 10*100), lot(100, 100, 50, 200), make([]byte, 100)
		calls := map[string]func(){
			"send":     func() { _ = tr.send(datagram) },
			"sendRun":  func() { _ = tr.sendRun(run, 100) },
			"sendEach": func() { _, _ = tr.sendEach(each) },
			"receive": func() {
				_, _ = far.WriteToUDPAddrPort(datagram, tr.local)
				_ = tr.receive(in)
			},
		}
		for name, call := range calls {
			if n := testing.AllocsPerRun(20, call); n != 0 {
				t.Errorf("%s allocates %v times", name, n)
			}
		}
	})
}

type discard struct{ room []byte }

func (d *discard) begin() []byte            { return d.room }
func (d *discard) end(int, int, error) bool { return false }
