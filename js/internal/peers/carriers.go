package main

import (
	"context"
	"crypto/tls"
	"net"
	"os"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

// carriers are the server's addresses for TCP and TLS, and who vouches for it.
type carriers struct {
	TCP string `json:"tcp"`
	TLS string `json:"tls"`
	CA  string `json:"ca"`
}

func startPion(o hosttest.PionOptions) (hosttest.Server, carriers, error) {
	a, err := newAuthority()
	if err != nil {
		return nil, carriers{}, err
	}
	config, err := a.config()
	if err != nil {
		return nil, carriers{}, err
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, carriers{}, err
	}
	secured, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		return nil, carriers{}, err
	}
	o.Listeners = []net.Listener{plain, secured}
	p, err := hosttest.StartPion(o)
	return p, carriers{plain.Addr().String(), secured.Addr().String(), string(a.ca)}, err
}

func startCoturn(flags []string) (hosttest.Server, carriers, error) {
	a, err := newAuthority()
	if err != nil {
		return nil, carriers{}, err
	}
	dir, err := os.MkdirTemp("", "turnwasm-peers-")
	if err != nil {
		return nil, carriers{}, err
	}
	defer os.RemoveAll(dir)
	files, err := a.flags(dir)
	if err != nil {
		return nil, carriers{}, err
	}
	c, err := hosttest.StartCoturn(context.Background(), append(files, flags...)...)
	if err != nil {
		return nil, carriers{}, err
	}
	return c, carriers{c.Addr().String(), c.Secured().String(), string(a.ca)}, nil
}
