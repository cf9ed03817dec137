//go:build wasip1

package main

import "unsafe"

//go:wasmexport turn_abi_version
func abiVersion() int32 { return turn.Version() }

//go:wasmexport turn_memory
func memoryAddress() int32 { return int32(uintptr(unsafe.Pointer(unsafe.SliceData(region)))) }

//go:wasmexport turn_open
func open(now float64, n int32) int32 {
	defer yield()
	return turn.Open(now, n)
}

//go:wasmexport turn_command
func command(now float64, h, n int32) int32 {
	defer yield()
	return turn.Command(now, h, n)
}

//go:wasmexport turn_flow
func flow(now float64, h, flow, what int32) int32 {
	defer yield()
	return turn.Flow(now, h, flow, what)
}

//go:wasmexport turn_peer
func peer(h, n int32) int32 {
	defer yield()
	return turn.Peer(h, n)
}

//go:wasmexport turn_input
func input(now float64, n int32) int32 {
	outs := turn.Input(now, n)
	yield()
	return outs
}

//go:wasmexport turn_send
func send(now float64, n int32) int32 {
	outs := turn.Send(now, n)
	yield()
	return outs
}

//go:wasmexport turn_poll
func poll() int32 {
	defer yield()
	return turn.Poll()
}

//go:wasmexport turn_tick
func tick(now float64) float64 {
	defer yield()
	return turn.Tick(now)
}

//go:wasmexport turn_close
func closeClient(now float64, h int32, linger float64) int32 {
	defer yield()
	return turn.Close(now, h, linger)
}

//go:wasmexport turn_state
func state(h int32) int32 {
	defer yield()
	return turn.State(h)
}

//go:wasmexport turn_stats
func stats(h int32) int32 {
	defer yield()
	return turn.Stats(h)
}

//go:wasmexport turn_parting
func parting(now float64, h int32) int32 {
	defer yield()
	return turn.Parting(now, h)
}

//go:wasmexport turn_snapshot
func snapshot(now float64, h, offset, size int32) int32 {
	defer yield()
	return turn.Snapshot(now, h, offset, size)
}

//go:wasmexport turn_restore
func restore(now, elapsed float64, offset, n int32) int32 {
	defer yield()
	return turn.Restore(now, elapsed, offset, n)
}

//go:wasmexport turn_free
func free(h int32) int32 {
	defer yield()
	return turn.Free(h)
}
