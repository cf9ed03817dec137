package abi

import "github.com/turnwasm/turnwasm/client"

// appendOptions appends what few clients ask for.
func appendOptions(r *Record, cfg *client.Config) {
	if cfg.Keepalive != 0 {
		r.Time(AttrKeepalive, cfg.Keepalive)
	}
}

func configOption(r *reader, a attribute, cfg *client.Config) {
	if a.t == AttrKeepalive {
		cfg.Keepalive = r.time(a)
	}
}
