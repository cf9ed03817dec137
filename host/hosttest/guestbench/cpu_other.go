//go:build !linux

package guestbench

import "time"

var started = time.Now()

// threadTime and processTime are the time that passed.
func threadTime() time.Duration  { return time.Since(started) }
func processTime() time.Duration { return time.Since(started) }
