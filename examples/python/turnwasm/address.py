"""Transport addresses: here ("192.0.2.1", 3478), at the boundary a family, a port and bytes in network order."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Any

Address = tuple[str, int]
"""A numeric IP address and a port."""

Packed = tuple[int, int, bytes]
"""Family (4 or 6), port, the address's 4 or 16 bytes."""


_MAPPED = bytes(10) + b"\xff\xff"


@lru_cache(maxsize=1024)
def pack(host: str, port: int) -> Packed:
    """An address for the boundary; an IPv4-mapped one is the IPv4 one, as in what comes back. A name is a ValueError."""
    if not isinstance(host, str) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ValueError(f"an address is an IP address and a port, not {(host, port)!r}")
    family = 6 if ":" in host else 4
    try:
        ip = socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, host)
    except (OSError, ValueError):
        raise ValueError(f"not an IP address: {host!r}") from None
    return (4, port, ip[12:]) if ip.startswith(_MAPPED) else (family, port, ip)


def packed(addr: Any) -> Packed:
    """The same of an address as socket functions take and give it: an IPv6 one may have more than two parts."""
    if not isinstance(addr, tuple) or len(addr) < 2:
        raise ValueError(f"an address is an IP address and a port, not {addr!r}")
    return pack(addr[0], addr[1])


@lru_cache(maxsize=1024)
def unpack(family: int, port: int, ip: bytes) -> Address | None:
    """An address from the boundary; ip may be longer than the family asks for. None: there is none."""
    if family == 4:
        return socket.inet_ntop(socket.AF_INET, ip[:4]), port
    if family == 6:
        return socket.inet_ntop(socket.AF_INET6, ip[:16]), port
    return None


def text(addr: Address) -> str:
    """The address as people write it."""
    return f"[{addr[0]}]:{addr[1]}" if ":" in addr[0] else f"{addr[0]}:{addr[1]}"
