"""Records of the control plane: type, length, value, zeros to a multiple of 4. The layout stands in wasm/abi/doc.go."""

from __future__ import annotations

import struct

from .address import Address, Packed, unpack

_HEAD = struct.Struct("<HH")
_MAX_VALUE = 0xFFFF


class Writer:
    """A record that is being written straight into what it is for: no copy of a password is left on the way."""

    def __init__(self, into: memoryview) -> None:
        self._into = into
        self.length = 0

    def _value(self, kind: int, size: int) -> int:
        end = self.length + 4 + (size + 3 & ~3)
        if size > _MAX_VALUE or end > len(self._into):
            raise ValueError("the configuration or command is too long")
        self._into[self.length : end] = bytes(end - self.length)
        _HEAD.pack_into(self._into, self.length, kind, size)
        at = self.length + 4
        self.length = end
        return at

    def flag(self, kind: int) -> Writer:
        self._value(kind, 0)
        return self

    def u16(self, kind: int, value: int) -> Writer:
        struct.pack_into("<H", self._into, self._value(kind, 2), value)
        return self

    def bytes(self, kind: int, value: bytes | bytearray) -> Writer:
        at = self._value(kind, len(value))
        self._into[at : at + len(value)] = value
        return self

    def address(self, kind: int, address: Packed) -> Writer:
        family, port, ip = address
        struct.pack_into(f"<BxH{len(ip)}s", self._into, self._value(kind, 4 + len(ip)), family, port, ip)
        return self

    def wipe(self) -> None:
        self._into[: self.length] = bytes(self.length)


class Reader:
    """A record that was read: values by their type, the first of duplicates. What is no record is a ValueError."""

    def __init__(self, record: bytes) -> None:
        self._values: dict[int, bytes] = {}
        at = 0
        while at < len(record):
            if at + 4 > len(record):
                raise ValueError("a record ends inside an attribute")
            kind, size = _HEAD.unpack_from(record, at)
            if at + 4 + size > len(record):
                raise ValueError(f"a record ends inside attribute {kind}")
            self._values.setdefault(kind, record[at + 4 : at + 4 + size])
            at += 4 + (size + 3 & ~3)

    def has(self, kind: int) -> bool:
        return kind in self._values

    def number(self, kind: int) -> int:
        """An unsigned integer of any width; 0 when it is not there."""
        return int.from_bytes(self._values.get(kind, b""), "little")

    def seconds(self, kind: int) -> float:
        """A time, which crosses the boundary in ms."""
        value = self._values.get(kind)
        return struct.unpack("<d", value)[0] / 1000 if value and len(value) == 8 else 0.0

    def text(self, kind: int) -> str:
        return self._values.get(kind, b"").decode("utf-8", "replace")

    def address(self, kind: int) -> Address | None:
        value = self._values.get(kind)
        if not value or len(value) not in (8, 20):
            return None
        return unpack(4 if len(value) == 8 else 6, int.from_bytes(value[2:4], "little"), value[4:])
