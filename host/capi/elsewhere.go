//go:build !cgo || !unix

// Command capi is package host as a C library. It wants cgo, on a Unix.
package main

import "log"

func main() { log.Fatal("capi: build it with cgo, on a Unix: make capi") }
