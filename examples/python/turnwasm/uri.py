"""TURN URIs (RFC 7065): turn:HOST[:PORT][?transport=udp]. This host has UDP alone to the server."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any, NamedTuple

from .errors import RequestError, UnsupportedError

DEFAULT_PORT = 3478

_FORM = re.compile(r"(turns?):(\[[0-9A-Fa-f:.]+\]|[^:?/@#\[\]\s]+)(?::([0-9]{1,5}))?(?:\?transport=(udp|tcp))?", re.IGNORECASE | re.ASCII)

Resolved = tuple[int, Any]
"""A family and an address, as socket functions take them."""


class TurnURI(NamedTuple):
    host: str
    port: int

    @classmethod
    def parse(cls, uri: str) -> TurnURI:
        if not isinstance(uri, str):
            raise TypeError(f"a TURN URI is a string, not {type(uri).__name__}")
        m = _FORM.fullmatch(uri)
        if not m:
            raise ValueError(f"not a TURN URI: {uri!r}: want turn:HOST[:PORT][?transport=udp]; credentials are not part of it")
        scheme, host, port, transport = m.groups()
        if scheme.lower() != "turn" or (transport or "").lower() == "tcp":
            raise UnsupportedError(f"turn: {uri!r}: this host speaks UDP to the server: use turn: without transport=tcp")
        number = int(port or DEFAULT_PORT)
        if not 1 <= number <= 65535:
            raise ValueError(f"not a TURN URI: {uri!r}: the port is not in 1..65535")
        return cls(host.strip("[]").lower(), number)

    async def resolve(self) -> list[Resolved]:
        """Its addresses, in the order in which they are to be tried."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as e:
            raise RequestError("Allocate", 0, f"{self.host} has no address: {e}") from e
        return [(family, address) for family, _, _, _, address in found]
