"""Payloads to a peer and back."""

from __future__ import annotations

import asyncio
import random
import struct
import time

import turnwasm

SIZE = 100
UNDER_WAY = 32
PATIENCE = 1.0  # seconds without an echo after which what is under way is lost

_HEAD = struct.Struct(">QI")


class Echo(asyncio.DatagramProtocol):
    """Sends count payloads, at most so many at a time; what is lost is sent once again.

    A payload begins with the run's own number and its index.
    """

    def __init__(self, peer: turnwasm.Address, count: int) -> None:
        self.peer = peer
        self.count = count
        self.trips: list[float] = []  # in ms
        self.lost: set[int] = set()
        self._run = random.getrandbits(64)
        self._next = 0
        self._missing: dict[int, float] = {}  # and when it was sent
        self._done = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        self._send_more()
        while not self._done.done():
            before = len(self.trips)
            await asyncio.wait([self._done], timeout=PATIENCE)
            if len(self.trips) == before:
                self._resend()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if len(data) != SIZE:
            return
        run, i = _HEAD.unpack_from(data)
        sent = self._missing.pop(i, None) if run == self._run else None
        if sent is not None:
            self.trips.append(1000 * (time.perf_counter() - sent))
            self._send_more()

    def _send_more(self) -> None:
        while self._next < self.count and len(self._missing) < UNDER_WAY:
            self._send(self._next)
            self._next += 1
        if not self._missing:
            self._finish()

    def _send(self, i: int) -> None:
        self._missing[i] = time.perf_counter()
        self._transport.sendto(_HEAD.pack(self._run, i).ljust(SIZE, b"."), self.peer)

    def _resend(self) -> None:
        for i in list(self._missing):
            if i in self.lost:
                del self._missing[i]  # lost twice: given up
            else:
                self.lost.add(i)
                self._send(i)
        self._send_more()

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)
