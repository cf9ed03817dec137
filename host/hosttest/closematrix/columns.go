package main

import (
	"context"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// column is a server and a client.
type column struct {
	server string
	engine host.Engine // 0: pion/turn's own client
}

func (c column) String() string {
	if c.engine == 0 {
		return c.server + "/pion's"
	}
	return c.server + "/" + c.engine.String()
}

var columns = []column{
	{"simulated", host.Wasm}, {"simulated", host.Native},
	{"coturn", host.Wasm}, {"coturn", host.Native},
	{"pion", host.Wasm}, {"pion", host.Native},
	{"simulated", 0}, {"coturn", 0}, {"pion", 0},
}

func (c column) start(ctx context.Context) (ht.Server, error) {
	switch c.server {
	case "coturn":
		return ht.StartCoturn(ctx)
	case "pion":
		return ht.StartPion(ht.PionOptions{})
	}
	return startSimulated(turntest.RFC)
}
