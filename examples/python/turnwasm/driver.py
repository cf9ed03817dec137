"""The one timer of an instance, and the instance that transports share."""

from __future__ import annotations

import asyncio
import math
import time
import weakref
from typing import Any, Callable, TypeVar

from .errors import TrappedError
from .instance import Instance
from .module import Module

T = TypeVar("T")

_MOST_TICKS = 64  # in a row: each wakes some of the clients that are due; then sockets get their turn

_shared: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ReferenceType[Driver]] = weakref.WeakKeyDictionary()


class Driver:
    """An instance in an event loop. Any number of transports share it; it goes when the last of them does."""

    def __init__(self, module: Module) -> None:
        self.instance = Instance(module)
        self.loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._armed = math.inf  # what the timer is set to

    @classmethod
    async def shared(cls) -> Driver:
        """The driver of this loop that all share who do not bring one; another when the one before has died."""
        loop = asyncio.get_running_loop()
        module = await loop.run_in_executor(None, Module.default)  # the first time it is compiled
        found = _shared.get(loop)
        driver = found() if found else None
        if driver is None or driver.instance.dead:
            driver = cls(module)
            _shared[loop] = weakref.ref(driver)
        return driver

    @staticmethod
    def now() -> float:
        """Now, on the machine's clock."""
        return time.monotonic() * 1000

    def run(self, f: Callable[..., T], *args: Any) -> T:
        """Calls the machine, with the time in front of the arguments, then does what every call asks for."""
        try:
            return f(self.now(), *args)
        finally:
            self._arm()

    def _arm(self) -> None:
        """Sets the timer to the next deadline; a later one than before is seen to when the timer comes."""
        deadline = self.instance.next
        if deadline >= self._armed and deadline != math.inf:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._armed = None, deadline
        if deadline != math.inf:
            self._timer = self.loop.call_later(max(0.0, (deadline - self.now()) / 1000), self._due)

    def _due(self) -> None:
        self._timer, self._armed = None, math.inf
        try:
            for _ in range(_MOST_TICKS):
                if self.instance.next > self.now():
                    break
                self.instance.tick(self.now())
        except TrappedError:
            pass  # every transport was told of that
        finally:
            self._arm()
