"""What the server has granted under an allocation, permissions and channels, and who waits for that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Callable

from .address import Packed, pack
from .errors import TurnError
from .event import Event

Wanted = tuple[str, Packed]


class Grants:
    def __init__(self) -> None:
        self._granted: set[Wanted] = set()  # of which the machine says nothing again
        self._waiting: dict[Wanted, asyncio.Future[None]] = {}

    async def ask(self, wanted: Wanted, command: Callable[[], None]) -> None:
        """Gives the command, unless somebody has, and waits for the server's answer."""
        if wanted in self._granted:
            return
        future = self._waiting.get(wanted)
        if future is None:
            future = self._waiting[wanted] = new_future()
            try:
                command()
            except TurnError:
                self._waiting.pop(wanted, None)
                raise
        await asyncio.shield(future)

    def granted(self, e: Event) -> None:
        for wanted in _wanted(e):
            self._granted.add(wanted)
            future = self._waiting.pop(wanted, None)
            if future is not None and not future.done():
                future.set_result(None)

    def refused(self, e: Event, error: TurnError) -> None:
        for wanted in _wanted(e):
            self._granted.discard(wanted)
            future = self._waiting.pop(wanted, None)
            if future is not None and not future.done():
                future.set_exception(error)

    def fail(self, error: TurnError) -> None:
        """Nothing will be granted any more."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(error)


def _wanted(e: Event) -> Sequence[Wanted]:
    """What an event settles: a permission names no port, a channel does; a command that was dropped may have been either."""
    if e.peer is None:
        return ()
    host, port = e.peer
    if e.name == "commandDropped":
        return ("permission", pack(host, 0)), ("channel", pack(host, port))
    return (("channel" if e.name.startswith("channel") else "permission", pack(host, port)),)


def new_future() -> asyncio.Future[Any]:
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda f: f.cancelled() or f.exception())  # nobody need wait for it
    return future
