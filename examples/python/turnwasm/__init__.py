"""A TURN client for asyncio: the machine of turn.wasm in wasmtime.

    transport, protocol = await turnwasm.create_turn_endpoint(
        MyProtocol, "turn:turn.example.org", username="alice", password="secret")
    transport.get_extra_info("sockname")           # the relayed address, which peers send to
    transport.sendto(b"hello", ("203.0.113.9", 4000))
    closed = await transport.aclose()              # Closed(outcome="released", ...)

The protocol is any asyncio.DatagramProtocol; a TurnProtocol is told the machine's events, too.
"""

from .address import Address
from .driver import Driver
from .endpoint import TurnProtocol, TurnTransport, create_turn_endpoint
from .errors import (
    ClosedError,
    LostError,
    ModuleError,
    RefusedError,
    RequestError,
    TrappedError,
    TurnError,
    UnsupportedError,
)
from .event import Closed, Event
from .module import Module

__all__ = [
    "Address", "Closed", "ClosedError", "Driver", "Event", "LostError", "Module", "ModuleError", "RefusedError", "RequestError",
    "TrappedError", "TurnError", "TurnProtocol", "TurnTransport", "UnsupportedError", "create_turn_endpoint",
]  # fmt: skip
