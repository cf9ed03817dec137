package host

import (
	"testing"
	"time"
)

func TestDeadline(t *testing.T) {
	told := make(chan struct{}, 10)
	d := deadline{tell: func() { told <- struct{}{} }}
	if d.passed.Load() {
		t.Fatal("a new deadline has passed")
	}
	d.set(time.Now().Add(-time.Second))
	if <-told; !d.passed.Load() {
		t.Fatal("one in the past has not passed")
	}
	d.set(time.Time{})
	if d.passed.Load() {
		t.Fatal("one that was taken away has passed")
	}
	d.set(time.Now().Add(time.Hour))
	d.fire() // as a timer does that could not be stopped any more
	if len(told) > 0 || d.passed.Load() {
		t.Fatal("one that lies in an hour has passed")
	}
	d.set(time.Now().Add(time.Millisecond))
	if <-told; !d.passed.Load() {
		t.Fatal("one that was moved to the front has not passed")
	}
	d.set(time.Now().Add(time.Hour))
	if d.passed.Load() {
		t.Fatal("one that was moved out of the past has passed")
	}
	d.stop()
}
