"""A path to the server: a connected UDP socket, which the machine knows as a flow."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence
from typing import Callable

from .errors import RequestError
from .uri import Resolved


class UdpPath:
    def __init__(self, sock: socket.socket, flow: int, on_error: Callable[[UdpPath], None]) -> None:
        self.sock = sock
        self.flow = flow
        self._loop = asyncio.get_running_loop()
        self._on_error = on_error

    @classmethod
    def open(
        cls, servers: Sequence[Resolved], flow: int, on_readable: Callable[[UdpPath], None], on_error: Callable[[UdpPath], None]
    ) -> UdpPath:
        """A socket of a port of its own, connected to the first of the addresses to which there is a way."""
        path = cls(_connect(servers), flow, on_error)
        path._loop.add_reader(path.sock, on_readable, path)
        return path

    def send(self, datagram: memoryview) -> None:
        """Sends; what cannot be sent is lost, as on the way. A send may meet the ICMP error of an earlier datagram, so once more."""
        for _ in range(2):
            try:
                self.sock.send(datagram)
                return
            except BlockingIOError:
                return
            except OSError as e:
                if e.errno != errno.EMSGSIZE:
                    self._loop.call_soon(self._on_error, self)  # not now: the machine is being drained

    def close(self) -> None:
        if self.sock.fileno() >= 0:
            self._loop.remove_reader(self.sock)
            self.sock.close()


def _connect(servers: Sequence[Resolved]) -> socket.socket:
    why = "no address"
    for family, address in servers:
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM)
        except OSError as e:
            why = f"{address[0]}: {e}"
            continue
        try:
            sock.setblocking(False)
            sock.connect(address)
            return sock
        except OSError as e:
            sock.close()
            why = f"{address[0]}: {e}"
    raise RequestError("Allocate", 0, f"there is no way to the server: {why}")
