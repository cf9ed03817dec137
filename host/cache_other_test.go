//go:build !linux

package host

import "testing"

// leaveNoRoom is for systems that can say it.
func leaveNoRoom(*testing.T) {}
