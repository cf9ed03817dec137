package main

import (
	"context"
	"fmt"
)

// contestant is a client that is measured.
type contestant interface {
	// open allocates and lets the socket have its buffers.
	open(ctx context.Context, s *spec) error
	// write sends one payload to the peer; read receives one.
	write(payload []byte) error
	read(b []byte) (int, error)
	close() error
}

// outgoing is a batch that is sent again and again. The application writes each
// payload where the contestant wants it.
type outgoing interface {
	payload(i int) []byte
	send() error
}

// incoming receives a batch and hands out each payload.
type incoming interface {
	receive(each func(payload []byte)) error
}

// batcher is a contestant with a batch API.
type batcher interface {
	outgoing(sizes []int, runs bool) (outgoing, error)
	incoming() incoming
}

var contestants = map[string]func() contestant{
	"ours-wasm":    func() contestant { return newOurs("wasm") },
	"ours-native":  func() contestant { return newOurs("native") },
	"pion":         func() contestant { return &pion{} },
	"raw":          func() contestant { return &raw{} },
	"raw-gso":      func() contestant { return &rawOffload{} },
	"raw-gso-copy": func() contestant { return &rawOffload{copies: true} },
}

func newContestant(name string) (contestant, error) {
	make, ok := contestants[name]
	if !ok {
		return nil, fmt.Errorf("nobody is called %q", name)
	}
	return make(), nil
}
