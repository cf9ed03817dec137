package turntest

import "math/rand/v2"

// rollTerms chooses what the server asks of signatures, by dice of its own: two
// of three worlds have a server of RFC 5389.
func (p *plan) rollTerms() {
	rng := rand.New(rand.NewPCG(p.seed, 0x7465726d73))
	if rng.IntN(3) > 0 {
		return
	}
	p.server.Algorithms = pick(rng, []uint16{AlgorithmSHA256}, []uint16{AlgorithmMD5},
		[]uint16{AlgorithmMD5, AlgorithmSHA256}, []uint16{AlgorithmSHA256, 7, AlgorithmMD5}, nil)
	p.server.Anonymity = rng.IntN(3) == 0
	p.server.BitsFromRight = rng.IntN(2) == 0
}
