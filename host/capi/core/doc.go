// Package core is what stands behind the C library's functions, in Go alone:
// handles, the queues that somebody may poll, errors as codes. Its methods may
// be called from any goroutine.
package core
