//go:build wasip1 && turntrap

package main

// trap kills the instance, as a fault that no recovery reaches does. It exists
// in the test's build alone.
//
//go:wasmexport turn_trap
func trap() { panic("planted trap") }
