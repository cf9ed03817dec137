package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// run does what the flags say: it measures, or it is one of the children.
func (o *flags) run(ctx context.Context) error {
	if o.role == "" {
		return o.measure(ctx)
	}
	// Nothing that a child does takes so long, unless its parent is gone.
	time.AfterFunc(lifeOf(o.role), func() { panic("nobody has ended this process") })
	s := &spec{}
	if err := json.Unmarshal([]byte(o.spec), s); err != nil {
		return err
	}
	switch o.role {
	case "far":
		return runFar(s)
	case "client":
		return runClient(s)
	case "warm":
		return runWarm(s)
	case "cold":
		return runCold(ctx, s)
	case "idle":
		return runIdle(ctx, s)
	}
	return fmt.Errorf("there is no role %q", o.role)
}

func (o *flags) measure(ctx context.Context) error {
	b := &bench{out: os.Stdout, count: o.rounds, quick: o.quick, profiles: o.profiles}
	if o.quick {
		b.count = 1
	}
	if err := b.choose(o.names()); err != nil {
		return err
	}
	err := b.run(ctx)
	if o.json == "" || len(b.rounds) == 0 {
		return err
	}
	if written := b.writeJSON(o.json); err == nil {
		err = written
	}
	return err
}
