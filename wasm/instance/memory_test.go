package instance_test

import (
	"crypto/rand"
	"net/netip"
	"testing"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
	"github.com/turnwasm/turnwasm/wasm/instance"
)

func TestShortOfMemory(t *testing.T) {
	used := uint64(0)
	region := make([]byte, abi.DefaultLayout().Size)
	in := instance.New(region, abi.DefaultLayout(), instance.Options{
		Rand: rand.Reader, Memory: func() uint64 { return used }, MemoryLimit: 1 << 30,
	})
	w := abitest.NewWorld(t, in, region)
	h, _ := bound(t, w)
	w.Header.SetMemoryLimit(100 << 20)
	used = 76 << 20
	for range 200 { // enough growth that it looks
		if code := abi.Code(w.Open(0, w.Control(config()))); code == abi.CodeLimit {
			break
		}
	}
	stranger := []netip.AddrPort{netip.MustParseAddrPort("198.51.100.7:7")}
	for name, refused := range map[string]abi.Code{
		"a client":         abi.Code(w.Open(0, w.Control(config()))),
		"CreatePermission": first(w.Do(h, abi.Command{Cmd: abi.CmdCreatePermission, Peers: stranger})),
		"BindChannel":      first(w.Do(h, abi.Command{Cmd: abi.CmdBindChannel, Peers: stranger})),
	} {
		if refused != abi.CodeLimit {
			t.Errorf("%s: %d", name, refused)
		}
	}
	put(w, 0, abi.Desc{Client: h, Kind: abi.KindSend, Addr: stranger[0]}, 64, "to wait")
	if w.Send(0, 1); status(w, 0) != abi.CodeLimit {
		t.Errorf("a payload that would wait: %d", status(w, 0))
	}
	send(t, w, h, "on the channel")
	if len(w.Data[h]) != 1 {
		t.Error("a bound channel does not carry")
	}
	if outcome := w.Leave(h, 0); outcome != client.Unconfirmed {
		t.Errorf("close: %v", outcome)
	}
	used = 74 << 20
	w.Join(3)
}

func first(code abi.Code, _ []abitest.Out) abi.Code { return code }
