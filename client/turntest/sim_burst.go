package turntest

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

const burst = 14

// planBurst lets a few owners bind more channels at once than there may be
// requests outstanding. Its dice are its own.
func (a *actor) planBurst() {
	dice := rand.New(rand.NewPCG(a.w.plan.seed, 0x6275727374+uint64(a.index)))
	if dice.IntN(6) > 0 {
		return
	}
	a.bursts = true
	a.at(time.Duration(dice.Int64N(int64(a.w.plan.script))), "bind many", func(a *actor) {
		for port := range uint16(burst) {
			a.bind(netip.AddrPortFrom(a.w.peers[0].Addr(), 6000+port))
		}
	})
}
