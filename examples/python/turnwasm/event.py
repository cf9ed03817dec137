"""What the machine tells of a client, and what came of a close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from . import abi_gen as abi
from .address import Address
from .records import Reader

RELEASED = "released"
NOTHING_TO_RELEASE = "nothing_to_release"
UNCONFIRMED = "unconfirmed"
ABANDONED = "abandoned"


@dataclass(frozen=True)
class Event:
    """What happened to a client; times are in seconds.

    Which fields are set depends on the event: package client's EventKind says so, under the same names. until is an
    instant on time.monotonic()'s clock, 0 = none.
    """

    name: str  # "allocated", "allocateFailed", "closed", ...; "" for one that this host does not know
    method: str  # of the request that failed
    code: int  # STUN error code; 0 = none
    reason: str
    signed: bool  # the answer carried a valid MESSAGE-INTEGRITY
    flow: int
    channel: int
    peer: Address | None
    relayed: Address | None
    mapped: Address | None
    lifetime: float
    retry_after: float
    outcome: str
    reuse_after: float
    until: float

    @classmethod
    def read(cls, record: bytes) -> Event:
        r = Reader(record)
        number, outcome = r.number(abi.ATTR_EVENT), r.number(abi.ATTR_OUTCOME)
        return cls(
            name=abi.EVENTS[number] if number < len(abi.EVENTS) else "",
            method=abi.METHODS.get(r.number(abi.ATTR_METHOD), ""),
            code=r.number(abi.ATTR_CODE),
            reason=r.text(abi.ATTR_REASON),
            signed=r.has(abi.ATTR_SIGNED),
            flow=r.number(abi.ATTR_FLOW),
            channel=r.number(abi.ATTR_CHANNEL),
            peer=r.address(abi.ATTR_PEER),
            relayed=r.address(abi.ATTR_RELAYED),
            mapped=r.address(abi.ATTR_MAPPED),
            lifetime=r.seconds(abi.ATTR_LIFETIME),
            retry_after=r.seconds(abi.ATTR_RETRY_AFTER),
            outcome=abi.OUTCOMES[outcome] if outcome < len(abi.OUTCOMES) else "",
            reuse_after=r.seconds(abi.ATTR_REUSE_AFTER),
            until=r.seconds(abi.ATTR_UNTIL),
        )


class Closed(NamedTuple):
    """What came of a close.

    "released": the server says that it holds nothing. "nothing_to_release": it never held anything. "unconfirmed": it
    was told, and has not answered. "abandoned": it could not be told.
    """

    outcome: str
    reason: str = ""
    until: datetime | None = None  # the server may hold the allocation until then
    reuse_after: float = 0.0  # seconds that the local port should rest

    @property
    def good(self) -> bool:
        """Nothing is left on the server."""
        return self.outcome in (RELEASED, NOTHING_TO_RELEASE)
