// Package instance is what the module's exports do, over one region of memory:
// many clients behind handles, one heap of deadlines for all of them, batches
// both ways. The guest wraps it in exports; a native host calls it as it is.
//
// The methods of Instance are the exports; wasm/abi's package comment says what
// each takes and answers, and how the region is laid out. No integer, float or
// byte that a host hands in makes one panic: the answer is an error code. A
// panic of the machine itself closes the one client that it happened to.
//
// It holds no locks and starts no goroutine. Calls that only move payloads
// allocate nothing.
package instance
