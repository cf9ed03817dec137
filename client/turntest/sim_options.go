package turntest

import (
	"math/rand/v2"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// rollOptions gives some clients what few ask for. Its dice are its own, so that
// the worlds of seeds that are known stay what they were in everything else.
func rollOptions(seed uint64, cfg *client.Config) {
	rng := rand.New(rand.NewPCG(seed, 0x6f7074696f6e73))
	cfg.Keepalive = pick(rng, 0, 0, 0, 15*time.Second)
	cfg.DontFragment = rng.IntN(4) == 0
	cfg.EvenPort = pick(rng, 0, 0, 0, client.EvenPortOnly, client.EvenPortReserve)
	if cfg.Family == 0 && cfg.EvenPort != client.EvenPortReserve && rng.IntN(4) == 0 {
		cfg.Family = client.FamilyBoth
	}
	if cfg.EvenPort == 0 && cfg.Family == 0 && rng.IntN(6) == 0 {
		cfg.ReservationToken = client.ReservationToken{'s', 't', 'a', 'l', 'e'}
	}
}

// checkRedirected is L6: it is told right before the failure that a 300 brought.
func (a *actor) checkRedirected(s *step) {
	for i, e := range s.events {
		if e.Kind != client.Redirected {
			continue
		}
		if i+1 == len(s.events) || s.events[i+1].Kind != client.AllocateFailed || s.events[i+1].Code != 300 {
			a.w.violate(a, "L6", "redirected to %v, and no AllocateFailed with 300 follows", e.Peer)
		}
		if e.Peer != a.w.plan.server.Alternate {
			a.w.violate(a, "L6", "redirected to %v, where no 300 points", e.Peer)
		}
	}
}

// checkKeepalive is L10: only where it was asked for, only on an allocation,
// and no more often than that.
func (a *actor) checkKeepalive() {
	l := &a.ledger
	every := a.plan.cfg.Keepalive
	switch {
	case every == 0 || !a.allocated:
		a.w.violate(a, "L10", "a keep-alive that nobody asked for")
	case l.keptAlive != 0 && a.w.now < l.keptAlive+every:
		a.w.violate(a, "L10", "a keep-alive at %v, the last one was at %v", a.w.now, l.keptAlive)
	}
	l.keptAlive = a.w.now
}
