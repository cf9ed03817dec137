package abitest

import (
	"bytes"
	"math/rand/v2"
	"time"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Scenario drives several clients through everything that the exports do, the
// same calls each time. Two instances that differ in what they answer differ in
// Sum.
func Scenario(w *World) {
	w.t.Helper()
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same numbers each time are the point
	var clients []int32
	for i := range uint64(5) {
		h := w.Join(i + 1)
		clients = append(clients, h)
		w.Order(h, abi.Command{Cmd: abi.CmdAllocate})
		w.Now += 17 * time.Millisecond
	}
	for i, h := range clients {
		if i%2 == 0 {
			w.Order(h, abi.Command{Cmd: abi.CmdBindChannel, Peers: peerList})
		}
		w.Peer(h, w.Control(abi.AppendPeer(nil, Peer)))
	}
	for range 40 {
		h := clients[random.IntN(len(clients))]
		w.burst(random, h)
		w.Noise(random, h)
		w.Settle(w.Submit(w.Input, 8))
		w.AdvanceTo(w.Now + time.Duration(random.IntN(60))*time.Second)
	}
	for i, h := range clients {
		w.Leave(h, time.Duration(i%2)*2*time.Second)
	}
}

// burst sends a run of random shape to the peer, which sends it back.
func (w *World) burst(random *rand.Rand, h int32) {
	n := uint32(random.IntN(1200))
	d := abi.Desc{
		Client: h, Kind: abi.KindSend, Peer: 1, Offset: w.Layout.Arena.Offset + 4096,
		Length: n, Count: uint32(1 + random.IntN(30)), Stride: n + 4 + uint32(random.IntN(2))*128,
	}
	copy(w.Region[d.Offset:], bytes.Repeat([]byte{byte(n)}, int(d.Count*d.Stride)))
	d.Store(w.Layout.In.At(w.Region, 0))
	w.Settle(w.Submit(w.Send, 1))
}

// Key is the clients' long-term key of a password.
func Key(password string) []byte { return turntest.LongTermKey("alice", "example.org", password) }
