package host

import (
	"testing"
	"time"
)

func TestDeadline(t *testing.T) {
	d := newDeadline()
	if isClosed(d.wait()) {
		t.Fatal("a new deadline has passed")
	}
	d.set(time.Now().Add(-time.Second))
	if !isClosed(d.wait()) {
		t.Fatal("one in the past has not passed")
	}
	d.set(time.Time{})
	if isClosed(d.wait()) {
		t.Fatal("one that was taken away has passed")
	}
	d.set(time.Now().Add(time.Hour))
	waiting := d.wait()
	d.set(time.Now().Add(time.Millisecond))
	<-waiting // moved under a waiter
	d.set(time.Now().Add(time.Hour))
	if isClosed(d.wait()) {
		t.Fatal("one that was moved out of the past has passed")
	}
	d.set(time.Time{})
}
