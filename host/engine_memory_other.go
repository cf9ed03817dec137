//go:build !linux && !darwin

package host

import "context"

// memoryStays is false: the runtime is told to allocate the maximum at once, so
// that the memory does not move while it grows.
const memoryStays = false

func withMemory(ctx context.Context) context.Context { return ctx }
