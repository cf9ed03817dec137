"""The module's exports as Python functions."""

from __future__ import annotations

import ctypes
import operator
from typing import Any, Callable

import wasmtime

try:
    from wasmtime import _ffi
except ImportError:  # a later version may hide it elsewhere
    _ffi = None  # type: ignore[assignment]

Call = Callable[..., Any]


def bind(store: wasmtime.Store, func: wasmtime.Func) -> Call:
    """An export whose parameters and result are i32 or f64.

    wasmtime's own Func looks its type up at every call: 20 to 50 us. The same function of the C library, called with the
    type looked up once, takes 3. It is not part of what wasmtime documents for Python; where it is missing Func serves.
    """
    if not hasattr(_ffi, "wasmtime_func_call_unchecked"):
        return _checked(store, func)
    return _unchecked(store, func)


def _checked(store: wasmtime.Store, func: wasmtime.Func) -> Call:
    convert = [float if str(t) == "f64" else operator.index for t in func.type(store).params]

    def call(*given: Any) -> Any:
        if len(given) != len(convert):
            raise TypeError(f"{len(given)} arguments, want {len(convert)}")
        return func(store, *[f(value) for f, value in zip(convert, given)])

    return call


def _unchecked(store: wasmtime.Store, func: wasmtime.Func) -> Call:
    kind = func.type(store)
    params, results = [str(t) for t in kind.params], [str(t) for t in kind.results]
    values = (_ffi.wasmtime_val_raw_t * max(len(params), len(results), 1))()
    slots = [(values[i], name) for i, name in enumerate(params)]
    first, answer = values[0], results[0] if results else ""
    trap = ctypes.POINTER(_ffi.wasm_trap_t)()
    args = (store._context(), ctypes.byref(func._func), values, len(values), ctypes.byref(trap))
    enter = _ffi.wasmtime_func_call_unchecked

    def call(*given: Any) -> Any:
        if len(given) != len(slots):
            raise TypeError(f"{len(given)} arguments, want {len(slots)}")
        for (slot, name), value in zip(slots, given):
            setattr(slot, name, value)
        error = enter(*args)
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)
        if trap:
            raise wasmtime.Trap._from_ptr(trap)
        return getattr(first, answer) if answer else None

    call.keeps = store, func  # type: ignore[attr-defined]  # what args point into
    return call
