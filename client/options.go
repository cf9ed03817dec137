package client

import "time"

// options are what few clients ask for, and what came of it. Settings point to
// them; nil where nothing of it is asked for.
type options struct {
	keepalive   time.Duration
	keepaliveAt time.Duration
}

func (cfg *Config) options() *options {
	o := options{keepalive: cfg.Keepalive}
	if o == (options{}) {
		return nil
	}
	return &o
}

// checkOptions answers what is wrong with them; "" if nothing is.
func (cfg *Config) checkOptions() string {
	if cfg.Keepalive < 0 || cfg.Keepalive != 0 && cfg.Keepalive < keepaliveMinimum {
		return "Keepalive is shorter than 1 s"
	}
	return ""
}
