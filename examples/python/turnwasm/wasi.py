"""The ten functions of WASI that the module imports.

wasmtime's own answer them, in native code, with nothing given: no files, no arguments, no environment; clocks, and the
system's entropy. All but fd_write, of which the end is kept: wasmtime hands what is written to a thread of its own, and a
process that ends while that thread is calling back into Python is aborted.
"""

from __future__ import annotations

import struct

import wasmtime

_TAIL = 4096
_MAX_VECTORS = 64
_SUCCESS, _EBADF, _EINVAL = 0, 8, 28
_STDOUT, _STDERR = 1, 2


class LastWords:
    """The end of the standard error: Go's word on a fatal fault is there and nowhere else."""

    def __init__(self) -> None:
        self._tail = b""

    def fd_write(self, caller: wasmtime.Caller, fd: int, vectors: int, count: int, written: int) -> int:
        """https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md#fd_write"""
        memory = caller["memory"]
        assert isinstance(memory, wasmtime.Memory)
        if fd not in (_STDOUT, _STDERR):
            return _EBADF
        if not 0 <= count <= _MAX_VECTORS:
            return _EINVAL
        total = 0
        try:
            for at, size in struct.iter_unpack("<II", memory.read(caller, vectors, vectors + 8 * count)):
                if fd == _STDERR:
                    self._tail = (self._tail + memory.read(caller, max(at, at + size - _TAIL), at + size))[-_TAIL:]
                total += size
            memory.write(caller, struct.pack("<I", total & 0xFFFFFFFF), written)
        except (IndexError, struct.error):
            return _EINVAL
        return _SUCCESS

    def __str__(self) -> str:
        return self._tail.decode("utf-8", "replace").strip()


def linker(engine: wasmtime.Engine, store: wasmtime.Store, words: LastWords) -> wasmtime.Linker:
    """What an instance's imports are looked up in."""
    store.set_wasi(wasmtime.WasiConfig())
    found = wasmtime.Linker(engine)
    found.define_wasi()
    found.allow_shadowing = True
    i32 = wasmtime.ValType.i32
    kind = wasmtime.FuncType([i32(), i32(), i32(), i32()], [i32()])
    found.define(store, "wasi_snapshot_preview1", "fd_write", wasmtime.Func(store, kind, words.fd_write, access_caller=True))
    return found
