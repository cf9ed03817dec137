package host_test

import (
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// eachServer runs the test over both servers and both engines.
func eachServer(t *testing.T, test func(t *testing.T, rt *host.Runtime, server hosttest.Server), flags ...string) {
	for name, start := range map[string]func(t *testing.T) hosttest.Server{
		"pion":   func(t *testing.T) hosttest.Server { return hosttest.NeedPion(t, hosttest.PionOptions{}) },
		"coturn": func(t *testing.T) hosttest.Server { return hosttest.NeedCoturn(t, flags...) },
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) { test(t, rt, start(t)) })
		})
	}
}

// L10: servers bear a keep-alive, and say nothing to it.
func TestKeepalive(t *testing.T) {
	eachServer(t, func(t *testing.T, rt *host.Runtime, server hosttest.Server) {
		proxy := hosttest.NeedProxy(t, server)
		cfg := config(proxy.Addr())
		cfg.Keepalive = time.Second
		c := dial(t, rt, cfg)
		_, err := proxy.Await(soon(t), func(r hosttest.Record) bool {
			return r.ToServer && r.Message != nil && r.Message.Type == hosttest.BindingIndication
		})
		if err != nil {
			t.Fatalf("no keep-alive: %v", err)
		}
		if err := c.Refresh(soon(t)); err != nil {
			t.Fatalf("Refresh after it: %v", err)
		}
		wantClosed(t, c, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}
