"""As much of a TURN server as a transport needs to open and to close, on loopback. It relays nothing."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import struct
from typing import Any

USERNAME = "alice"
PASSWORD = "secret"
REALM = "example.org"
COOKIE = 0x2112A442

ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND = 0x0003, 0x0004, 0x0008, 0x0009
SEND_INDICATION, DATA_INDICATION = 0x0016, 0x0017
SUCCESS, FAILURE = 0x0100, 0x0110
USERNAME_ATTRIBUTE, MESSAGE_INTEGRITY, ERROR_CODE, LIFETIME, PEER, DATA = 0x0006, 0x0008, 0x0009, 0x000D, 0x0012, 0x0013
REALM_ATTRIBUTE, NONCE, RELAYED, MAPPED = 0x0014, 0x0015, 0x0016, 0x0020

_KEY = hashlib.md5(f"{USERNAME}:{REALM}:{PASSWORD}".encode()).digest()


class FakeServer(asyncio.DatagramProtocol):
    """mismatches: of so many local ports it says that another allocation is there. What is sent to peers it echoes."""

    def __init__(self, mismatches: int = 0) -> None:
        self._mismatches = mismatches
        self.lifetimes: asyncio.Queue[int] = asyncio.Queue()  # that Refreshes have asked for
        self.silent = False

    @classmethod
    async def start(cls, mismatches: int = 0) -> FakeServer:
        loop = asyncio.get_running_loop()
        _, server = await loop.create_datagram_endpoint(lambda: cls(mismatches), local_addr=("127.0.0.1", 0))
        return server

    @property
    def uri(self) -> str:
        return "turn:127.0.0.1:{1}".format(*self._transport.get_extra_info("sockname"))

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = None if self.silent else self._answer(data, addr[1])
        if answer:
            self._transport.sendto(answer, addr)

    def _answer(self, request: bytes, port: int) -> bytes | None:
        kind, transaction = int.from_bytes(request[:2], "big"), request[4:20]
        found = attributes(request)
        if kind == SEND_INDICATION:
            return message(DATA_INDICATION, transaction, [(PEER, found[PEER]), (DATA, found[DATA])])
        if kind not in (ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND):
            return None
        if kind == REFRESH:
            self.lifetimes.put_nowait(int.from_bytes(found[LIFETIME], "big"))
        if USERNAME_ATTRIBUTE not in found:
            challenge = [(ERROR_CODE, b"\0\0\4\1"), (REALM_ATTRIBUTE, REALM.encode()), (NONCE, b"nonce")]
            return message(kind | FAILURE, transaction, challenge)
        if kind == ALLOCATE and self._mismatches > 0:
            self._mismatches -= 1
            return signed(kind | FAILURE, transaction, [(ERROR_CODE, b"\0\0\4\x25")])
        answer = [(LIFETIME, found.get(LIFETIME, struct.pack(">I", 600)))]
        if kind == ALLOCATE:
            answer += [(RELAYED, xored(49152)), (MAPPED, xored(port))]
        return signed(kind | SUCCESS, transaction, answer)


def attributes(request: bytes) -> dict[int, bytes]:
    found, at = {}, 20
    while at + 4 <= len(request):
        kind, size = struct.unpack_from(">HH", request, at)
        found[kind] = request[at + 4 : at + 4 + size]
        at += 4 + (size + 3 & ~3)
    return found


def xored(port: int) -> bytes:
    """127.0.0.1 and a port."""
    return struct.pack(">BBHI", 0, 1, port ^ COOKIE >> 16, 0x7F000001 ^ COOKIE)


def message(kind: int, transaction: bytes, values: list[tuple[int, bytes]]) -> bytes:
    body = b"".join(struct.pack(">HH", k, len(v)) + v + bytes(-len(v) & 3) for k, v in values)
    return struct.pack(">HH", kind, len(body)) + transaction + body


def signed(kind: int, transaction: bytes, values: list[tuple[int, bytes]]) -> bytes:
    """With a MESSAGE-INTEGRITY, whose length counts in what it signs."""
    whole = message(kind, transaction, [*values, (MESSAGE_INTEGRITY, bytes(20))])
    return whole[:-20] + hmac.new(_KEY, whole[:-24], hashlib.sha1).digest()
