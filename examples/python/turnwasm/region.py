"""The region of linear memory that host and guest share; the layout stands in wasm/abi/doc.go."""

from __future__ import annotations

import ctypes
import struct
from typing import NamedTuple

from . import abi_gen as abi
from .address import Address, Packed, unpack
from .errors import ModuleError
from .module import Guest

_HEADER = struct.Struct("<16I")
_LIVE = struct.Struct("<d4I")  # next deadline, pending, consumed, length of the error's text, clients
_DESC = struct.Struct("<iBBHIIIIIIiI16sQ")
_MAX_RUN = 1 << 16


class Descriptor(NamedTuple):
    client: int
    kind: int
    family: int
    port: int
    flow: int
    peer: int
    offset: int
    length: int
    packets: int
    stride: int
    status: int
    channel: int
    addr: bytes
    tag: int

    @property
    def address(self) -> Address | None:
        return unpack(self.family, self.port, self.addr)

    @property
    def instant(self) -> float:
        """The tag of a parting: the instant to which the server may hold the allocation, in ms."""
        return float(struct.unpack("<d", struct.pack("<Q", self.tag))[0])


class Span(NamedTuple):
    offset: int
    size: int


class Region:
    """A view of the region. It never moves: the guest keeps it in place, and the engine the memory."""

    def __init__(self, guest: Guest, base: int) -> None:
        self._guest = guest  # whose memory the view is of
        have = guest.memory.data_len(guest.store)
        _require(0 <= base <= have - abi.HEADER_SIZE, "it lies outside of the memory")
        head = _HEADER.unpack(self._look(base, _HEADER.size))
        self.size = head[2]
        _require(head[0] == abi.MAGIC, f"it begins with {head[0]:x}")
        _require(head[1] == abi.VERSION, f"it has version {head[1]}, this host speaks {abi.VERSION}")
        _require(base + self.size <= have, "it is longer than the memory")
        _require(head[3] == abi.DESC_SIZE, f"descriptors of {head[3]} bytes")
        _require(head[14:16] == (abi.HEADROOM, abi.TAILROOM), f"headroom {head[14]}, tailroom {head[15]}")
        self.control_in = self._span(head[4], head[5])
        self.control_out = self._span(head[6], head[7])
        self.ins = self._span(head[8], head[9], abi.DESC_SIZE)
        self.outs = self._span(head[10], head[11], abi.DESC_SIZE)
        self.arena = self._span(head[12], head[13])
        self.view = self._look(base, self.size)

    def _look(self, base: int, size: int) -> memoryview:
        at = ctypes.addressof(self._guest.memory.data_ptr(self._guest.store).contents) + base
        return memoryview((ctypes.c_ubyte * size).from_address(at)).cast("B")

    def _span(self, offset: int, size: int, unit: int = 1) -> Span:
        _require(offset >= abi.HEADER_SIZE and size > 0 and offset + size * unit <= self.size, "a part of it lies outside")
        return Span(offset, size)

    @property
    def next(self) -> float:
        """The earliest deadline of all clients in ms; inf = none."""
        return float(_LIVE.unpack_from(self.view, abi.HEAD_NEXT)[0])

    @property
    def pending(self) -> bool:
        return bool(_LIVE.unpack_from(self.view, abi.HEAD_NEXT)[1])

    @property
    def consumed(self) -> int:
        return int(_LIVE.unpack_from(self.view, abi.HEAD_NEXT)[2])

    @property
    def clients(self) -> int:
        return int(_LIVE.unpack_from(self.view, abi.HEAD_NEXT)[4])

    @property
    def error_text(self) -> str:
        """The last error's text."""
        return self.control(int(_LIVE.unpack_from(self.view, abi.HEAD_NEXT)[3])).decode("utf-8", "replace")

    def control(self, length: int) -> bytes:
        """What a call has left in control-out."""
        at = self.control_out.offset
        return bytes(self.view[at : at + min(length, self.control_out.size)])

    def record(self) -> memoryview:
        """Where records for the guest are written."""
        return self.view[self.control_in.offset : self.control_in.offset + self.control_in.size]

    def set_in(self, i: int, client: int, kind: int, flow: int, offset: int, length: int, addr: Packed | None = None) -> None:
        """Writes in-descriptor i, of one packet."""
        family, port, ip = addr or (0, 0, b"")
        at = self.ins.offset + i * abi.DESC_SIZE
        _DESC.pack_into(self.view, at, client, kind, family, port, flow, 0, offset, length, 1, 0, 0, 0, ip, 0)

    def status(self, i: int) -> int:
        return self._desc(self.ins, i).status

    def shift(self, done: int, n: int) -> None:
        """Moves in-descriptors to the front, the first of them, that are done, left out."""
        at, size = self.ins.offset, abi.DESC_SIZE
        self.view[at : at + (n - done) * size] = bytes(self.view[at + done * size : at + n * size])

    def _desc(self, table: Span, i: int) -> Descriptor:
        return Descriptor._make(_DESC.unpack_from(self.view, table.offset + i * abi.DESC_SIZE))

    def out(self, i: int) -> Descriptor:
        """Out-descriptor i. One that reaches outside of the region is an IndexError."""
        if i >= self.outs.size:
            raise IndexError("more descriptors than there are")
        d = self._desc(self.outs, i)
        run = d.packets <= 1 or (d.stride >= d.length > 0 and d.packets <= _MAX_RUN)
        if not run or d.offset + (max(d.packets, 1) - 1) * d.stride + d.length > self.size:
            raise IndexError("a descriptor reaches outside of the region")
        return d


def _require(fine: bool, otherwise: str) -> None:
    if not fine:
        raise ModuleError(f"turn: not a region of this ABI: {otherwise}")
