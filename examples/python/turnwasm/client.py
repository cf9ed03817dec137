"""A TURN client without I/O: the machine, as Python calls it. Clients are made by Instance.open."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from . import abi_gen as abi
from .address import Packed
from .records import Reader, Writer

if TYPE_CHECKING:
    from .instance import Instance, Sink


class Parting(NamedTuple):
    """The datagram that a close would send now. A host keeps the newest and ships it when all else has died."""

    flow: int
    datagram: bytes
    until: float  # the server may hold the allocation until this instant, in ms


class Client:
    def __init__(self, instance: Instance, handle: int, sink: Sink) -> None:
        self._instance = instance
        self.handle = handle
        self.sink = sink
        self.parting: Parting | None = None

    def allocate(self, now: float) -> None:
        self._command(now, abi.CMD_ALLOCATE)

    def create_permission(self, now: float, peer: Packed) -> None:
        self._command(now, abi.CMD_CREATE_PERMISSION, peer)

    def bind_channel(self, now: float, peer: Packed) -> None:
        self._command(now, abi.CMD_BIND_CHANNEL, peer)

    def _command(self, now: float, command: int, peer: Packed | None = None) -> None:
        def write(r: Writer) -> None:
            r.u16(abi.ATTR_CMD, command)
            if peer is not None:
                r.address(abi.ATTR_PEER, peer)

        self._instance.command(self, now, write)

    def receive(self, now: float, flow: int, recv_into: Callable[[memoryview], int]) -> None:
        """Hands in what a connected socket has: see Instance.receive."""
        self._instance.receive(self, now, flow, recv_into)

    def send(self, now: float, payload: Any, peer: Packed) -> None:
        self._instance.send(self, now, payload, peer)

    def flow(self, now: float, flow: int, what: int) -> None:
        """What became of a flow: FLOW_OPENED, FLOW_CLOSED or PATH_ERROR."""
        self._instance.control("turn_flow", now, self.handle, flow, what)

    def close(self, now: float, linger: float) -> None:
        """Releases what the server holds, in whatever state. The event "closed" says what came of it, after linger ms at the latest."""
        self._instance.control("turn_close", now, self.handle, linger)

    @property
    def phase(self) -> str:
        phase = Reader(self._instance.ask("turn_state", self.handle)).number(abi.ATTR_PHASE)
        return abi.PHASES[phase] if phase < len(abi.PHASES) else "unknown"

    def stats(self) -> dict[str, int]:
        """The counters, under the names of package client's Stats."""
        counters = self._instance.ask("turn_stats", self.handle)
        return {name: n for name, (n,) in zip(abi.STATS, struct.iter_unpack("<Q", counters[: len(counters) & ~7]))}

    def free(self) -> None:
        """Wipes the client. What it had still to say is lost; so first close, and wait for "closed"."""
        self._instance.free(self)
