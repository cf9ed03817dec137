//go:build !linux

package idlebench

import "time"

// threadTime is not told here.
func threadTime() time.Duration { return 0 }
