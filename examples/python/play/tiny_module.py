"""A module with the right exports, of which each answers one number: for the tests of what is refused."""

from __future__ import annotations

import wasmtime


def tiny_module(exports: dict[str, int], answer: int, imports: str = "") -> bytes:
    """exports: the names and the numbers of their parameters."""
    functions = "".join(
        f'(func (export "{name}") {"(param i32)" * count} (result i32) (i32.const {answer}))' for name, count in exports.items()
    )
    return bytes(wasmtime.wat2wasm(f'(module {imports} (memory (export "memory") 2) {functions})'))
