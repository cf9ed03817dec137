package main

import (
	"fmt"
	"time"
)

// result is what one run of a cell came to.
type result struct {
	Told  told
	Heard heard

	spec *spec
}

const maxLoss = 0.01

// sent and arrived are the packets of the whole run, warm-up included.
func (r *result) sent() uint64 {
	if r.spec.receives() {
		return r.Heard.Sent
	}
	return r.Told.Total
}

func (r *result) arrived() uint64 {
	if r.spec.receives() {
		return r.Told.Total
	}
	return r.Heard.Valid
}

func (r *result) lost() uint64 { return r.sent() - min(r.sent(), r.arrived()) }

func (r *result) loss() float64 { return float64(r.lost()) / float64(max(1, r.sent())) }

// void says why the run does not count, "" when it does.
func (r *result) void() string {
	switch {
	case r.loss() > maxLoss:
		return fmt.Sprintf("void: %.1f %% lost", 100*r.loss())
	case r.Told.Bad+r.Heard.Bad > 0:
		return fmt.Sprintf("void: %d packets were not what was sent", r.Told.Bad+r.Heard.Bad)
	case r.Heard.Twice > 0:
		return fmt.Sprintf("void: %d packets came twice", r.Heard.Twice)
	case r.Heard.Indications > 0:
		return fmt.Sprintf("void: %d payloads in indications", r.Heard.Indications)
	case r.counted() == 0 || r.Told.CPU <= 0:
		return "void: nothing was measured"
	}
	return ""
}

// counted is the packets of the measured window that the other side received
// and checked. What a sender lost at any time is taken from its window.
func (r *result) counted() uint64 {
	if r.spec.receives() {
		return r.Told.Packets
	}
	return r.Told.Packets - min(r.Told.Packets, r.lost())
}

// perCPU is the figure: packets per CPU-second of the client's process.
func (r *result) perCPU() float64 { return float64(r.counted()) / r.Told.CPU.Seconds() }

// perSecond is the same by the wall's clock.
func (r *result) perSecond() float64 { return float64(r.counted()) / r.Told.Wall.Seconds() }

func (r *result) microsPerPacket() float64 {
	return float64(r.Told.CPU) / float64(time.Microsecond) / float64(max(1, r.counted()))
}

func (r *result) mallocsPerPacket() float64 {
	return float64(r.Told.Mallocs) / float64(max(1, r.counted()))
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
