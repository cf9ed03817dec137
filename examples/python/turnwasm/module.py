"""The module: from where it comes, and what it must look like."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import NamedTuple

import wasmtime

from . import abi_gen as abi
from .calls import Call, bind
from .errors import ModuleError
from .wasi import LastWords, linker

ENVIRONMENT = "TURNWASM_MODULE"
"""The environment's name for the module's file; without it the repository's own is taken."""

_OURS = Path(__file__).resolve().parents[3] / "wasm" / "turn.wasm"


class Guest(NamedTuple):
    """An instance of the module, as wasmtime has it."""

    store: wasmtime.Store
    memory: wasmtime.Memory
    calls: dict[str, Call]
    last_words: LastWords


class Module:
    """turn.wasm, compiled. Any number of instances, in any number of threads, are made of it."""

    def __init__(self, wasm: bytes, *, cache: bool = False) -> None:
        """cache keeps the machine code in wasmtime's own cache, in the user's cache folder: 30 ms instead of 1.5 s.

        What lies there is run as it is: leave it off where somebody else can write to that folder.
        """
        config = wasmtime.Config()
        config.memory_may_move = False  # so that a view of it is good for as long as the instance lives
        try:
            if cache:
                config.cache = True
            self._engine = wasmtime.Engine(config)
            self._module = wasmtime.Module(self._engine, bytes(wasm))
        except wasmtime.WasmtimeError as e:
            raise ModuleError(f"turn: the module does not compile: {e}") from e
        self._check()

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None, *, cache: bool = False) -> Module:
        """Compiles a file: this one, or that of $TURNWASM_MODULE, or the repository's own."""
        file = Path(path or os.environ.get(ENVIRONMENT) or _OURS)
        try:
            wasm = file.read_bytes()
        except OSError as e:
            raise ModuleError(f"turn: the module cannot be read: {e}") from e
        return cls(wasm, cache=cache)

    @classmethod
    def default(cls) -> Module:
        """The module of load(), compiled once for all."""
        global _default
        with _lock:
            if _default is None:
                _default = cls.load()
            return _default

    def _check(self) -> None:
        found = {e.name: e.type for e in self._module.exports}
        if not isinstance(found.get("memory"), wasmtime.MemoryType):
            raise ModuleError("turn: the module exports no memory")
        for name, count in abi.EXPORTS.items():
            kind = found.get(name)
            if not isinstance(kind, wasmtime.FuncType):
                raise ModuleError(f"turn: the module has no export {name}: it is of another make")
            types = [str(t) for t in [*kind.params, *kind.results]]
            if len(kind.params) != count or len(kind.results) != 1 or not set(types) <= {"i32", "f64"}:
                raise ModuleError(
                    f"turn: the module's export {name} takes {len(kind.params)} parameters, want {count}, i32 or f64, and an answer"
                )

    def instantiate(self) -> Guest:
        store, words = wasmtime.Store(self._engine), LastWords()
        try:
            exports = linker(self._engine, store, words).instantiate(store, self._module).exports(store)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as e:
            raise ModuleError(f"turn: the module does not start: {e}") from e
        memory = exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        calls = {name: bind(store, f) for name, f in exports.items() if isinstance(f, wasmtime.Func)}
        return Guest(store, memory, calls, words)


_default: Module | None = None
_lock = threading.Lock()
