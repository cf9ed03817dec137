"""Relayed sockets for asyncio: a DatagramTransport whose address is the relayed one."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, TypeVar

from . import abi_gen as abi
from . import credentials
from .address import Packed, pack, packed
from .client import Client
from .driver import Driver
from .errors import (
    ClosedError,
    LostError,
    RefusedError,
    RequestError,
    TrappedError,
    TurnError,
)
from .event import ABANDONED, NOTHING_TO_RELEASE, UNCONFIRMED, Closed, Event
from .grants import Grants, new_future
from .instance import Sink
from .path import UdpPath
from .records import Writer
from .uri import Resolved, TurnURI

P = TypeVar("P", bound=asyncio.DatagramProtocol)

LINGER = 2.0
"""Seconds that a close waits for the server's answer."""

MAX_PORTS = 3
""""The client SHOULD try three different client transport addresses before giving up on this server."
https://www.rfc-editor.org/rfc/rfc8656#section-7.4"""

DEFAULT_LIFETIME = 600.0
""""... default lifetime value of 600 seconds (10 minutes)". https://www.rfc-editor.org/rfc/rfc8656#section-6"""


class TurnProtocol(asyncio.DatagramProtocol):
    """A DatagramProtocol that is told the machine's events, too. Any DatagramProtocol will do."""

    def event_received(self, event: Event) -> None:
        """Something happened to the allocation."""


async def create_turn_endpoint(
    protocol_factory: Callable[[], P], uri: str, *, username: str = "", password: str = "", driver: Driver | None = None
) -> tuple[TurnTransport, P]:
    """Allocates at the server of a TURN URI, as loop.create_datagram_endpoint does on this machine.

    It waits until the server has answered, or about 40 seconds: asyncio.wait_for makes that less. Where a name has several
    addresses, the next one is tried when one does not answer. Transports share a Driver, unless one is given.
    """
    target, prepared = TurnURI.parse(uri), credentials.prepare(username, password)
    servers = await target.resolve()
    protocol, driver = protocol_factory(), driver or await Driver.shared()
    for i, server in enumerate(servers):
        transport = TurnTransport(protocol, driver, [server])
        try:
            await transport._open(*prepared)
            return transport, protocol
        except TurnError as e:
            await transport.aclose()
            if i + 1 == len(servers) or not isinstance(e, RequestError) or e.code != 0:
                raise
        except BaseException:
            transport.abort()
            raise
    raise AssertionError("a name that is found has an address")


class TurnTransport(asyncio.DatagramTransport):
    """A datagram socket at a TURN server. It belongs to the loop that it was made in."""

    def __init__(self, protocol: asyncio.DatagramProtocol, driver: Driver, servers: Sequence[Resolved]) -> None:
        super().__init__()
        self._protocol = protocol
        self._driver = driver
        self._servers = servers
        self._client: Client | None = None
        self._path: UdpPath | None = None
        self._ports = 0
        self._allocation: Event | None = None
        self._lifetime = 0.0
        self._failure: TurnError | None = None
        self._lost: TurnError | None = None  # what connection_lost is told
        self._opened: asyncio.Future[None] = new_future()
        self._closed: asyncio.Future[Closed] = new_future()
        self._grants = Grants()

    # What programs use.

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Sends a payload to a peer, an IP address and a port; the permission that it needs is made with it.

        As with every DatagramTransport it may be lost, and the protocol's error_received is told what is refused.
        """
        peer = packed(addr)
        try:
            self._driver.run(self._using().send, memoryview(data).cast("B"), peer)
        except RefusedError as e:
            self._tell(self._protocol.error_received, e)

    async def create_permission(self, host: str) -> None:
        """Lets a peer's IP address send to the relayed address, and waits until the server has agreed."""
        await self._ask("permission", pack(host, 0), self._using().create_permission)

    async def bind_channel(self, addr: Any) -> None:
        """Binds a channel to a peer, and waits until the server has agreed: four bytes a payload instead of 36 or more."""
        await self._ask("channel", packed(addr), self._using().bind_channel)

    async def _ask(self, what: str, peer: Packed, command: Callable[[float, Packed], None]) -> None:
        await self._grants.ask((what, peer), lambda: self._driver.run(command, peer))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As asyncio has it, "sockname": the relayed address; "mapped": where the server sees us; "peername": the server; "lifetime"."""
        if name == "sockname" and self._allocation:
            return self._allocation.relayed
        if name == "mapped" and self._allocation:
            return self._allocation.mapped
        if name == "lifetime" and self._allocation:
            return self._lifetime
        if name == "peername" and self._path and not self._closed.done():
            return self._path.sock.getpeername()[:2]
        return default

    def stats(self) -> dict[str, int]:
        """The machine's counters."""
        return self._using().stats()

    def is_closing(self) -> bool:
        return self._failure is not None

    def close(self) -> None:
        """Releases the allocation; the protocol's connection_lost is told when that is done."""
        self._release(LINGER)

    def abort(self) -> None:
        """The same without waiting for the server's answer."""
        self._release(0.0)

    async def aclose(self, linger: float = LINGER) -> Closed:
        """Releases the allocation and says what came of it, after the linger at the latest. A second call has the same verdict."""
        self._release(linger)
        return await asyncio.shield(self._closed)

    # What opens and closes.

    async def _open(self, username: bytes, password: bytes) -> None:
        self._new_path(0)
        self._client = self._driver.run(self._driver.instance.open, self._config(username, password), self._sink())
        self._driver.run(self._client.allocate)
        await self._opened

    def _config(self, username: bytes, password: bytes) -> Callable[[Writer], None]:
        assert self._path is not None
        host, port = self._path.sock.getpeername()[:2]
        server = pack(host.split("%")[0], port)  # without the zone of a link-local address, which is the socket's affair

        def write(r: Writer) -> None:
            r.address(abi.ATTR_SERVER, server).flag(abi.ATTR_AUTO_PERMISSION)
            if username:
                r.bytes(abi.ATTR_USERNAME, username).bytes(abi.ATTR_PASSWORD, password)

        return write

    def _sink(self) -> Sink:
        return Sink(self._transmit, self._data, self._event, self._died)

    def _new_path(self, flow: int) -> None:
        before, self._path = self._path, UdpPath.open(self._servers, flow, self._readable, self._unreachable)
        self._ports += 1
        if before is not None:
            before.close()  # after the new one is open, which so cannot get the same port

    def _using(self) -> Client:
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if self._client is None:
            raise ClosedError("it was never open")
        return self._client

    def _release(self, linger: float) -> None:
        if not linger >= 0:
            raise ValueError(f"linger is a time in seconds that is not negative, not {linger}")
        self._shut(ClosedError())
        if self._closed.done():
            return
        if self._client is None:
            self._end(Closed(NOTHING_TO_RELEASE))
        else:
            self._ask_machine(self._client.close, min(linger * 1000, 9e12))

    def _shut(self, why: TurnError) -> None:
        """Sends everybody away."""
        self._failure = self._failure or why
        self._grants.fail(self._failure)
        if not self._opened.done():
            self._opened.set_exception(self._failure)

    def _fail(self, error: TurnError) -> None:
        """What went wrong for good; what may be left on the server is released."""
        self._lost = self._lost or error
        self._shut(error)
        self._release(LINGER)

    def _end(self, verdict: Closed) -> None:
        self._shut(ClosedError(verdict.reason))
        if self._path is not None:
            self._path.close()
        self._client = None  # which knows us, too
        self._closed.set_result(verdict)
        if self._allocation is not None:
            self._driver.loop.call_soon(self._tell, self._protocol.connection_lost, self._lost)

    # What comes from the server.

    def _readable(self, path: UdpPath) -> None:
        assert self._client is not None
        try:
            self._ask_machine(self._client.receive, path.flow, path.sock.recv_into)
        except OSError as e:
            if e.errno != errno.EMSGSIZE:  # an earlier datagram was longer than a link: the system cuts those that follow
                self._unreachable(path)

    def _unreachable(self, path: UdpPath) -> None:
        """The system says that the server cannot be reached, or is not there."""
        if path is self._path and self._client is not None and not self._closed.done():
            self._ask_machine(self._client.flow, path.flow, abi.PATH_ERROR)

    # What comes from the machine.

    def _transmit(self, datagram: memoryview, flow: int) -> None:
        if self._path is not None and flow == self._path.flow:
            self._path.send(datagram)

    def _data(self, payload: bytes, addr: Any) -> None:
        if addr is not None and self._failure is None:
            self._tell(self._protocol.datagram_received, payload, addr)

    def _event(self, e: Event) -> None:
        handle = _HANDLERS.get(e.name)
        if handle is not None:
            handle(self, e)
        told = getattr(self._protocol, "event_received", None)
        if told is not None:
            self._tell(told, e)

    def _is_allocated(self, e: Event) -> None:
        self._allocation, self._lifetime = e, e.lifetime
        if not self._opened.done():
            self._tell(self._protocol.connection_made, self)
        if not self._opened.done():  # nobody has closed it there
            self._opened.set_result(None)

    def _is_refreshed(self, e: Event) -> None:
        self._lifetime = e.lifetime

    def _is_granted(self, e: Event) -> None:
        self._grants.granted(e)

    def _is_refused(self, e: Event) -> None:
        self._grants.refused(e, RequestError(e.method, e.code, e.reason, e.signed))

    def _is_failed(self, e: Event) -> None:
        self._fail(RequestError(e.method, e.code, e.reason, e.signed))

    def _is_lost(self, e: Event) -> None:
        self._fail(LostError(e.method, e.code, e.reason, e.signed))

    def _needs_port(self, e: Event) -> None:
        """The server holds another allocation on this local port, says its 437."""
        assert self._client is not None
        what = abi.FLOW_CLOSED
        if self._ports < MAX_PORTS:
            try:
                self._new_path(e.flow)
                what = abi.FLOW_OPENED
            except (OSError, RequestError):
                pass
        self._ask_machine(self._client.flow, e.flow, what)

    def _is_closed(self, e: Event) -> None:
        client = self._client
        assert client is not None
        self._ask_machine(lambda now: client.free())
        self._end(Closed(e.outcome or ABANDONED, e.reason, _date(e.until), e.reuse_after))

    def _died(self, error: TrappedError) -> None:
        """The machine is not called any more: its last word is shipped, whose answer nobody will hear."""
        if self._closed.done():
            return
        self._lost = self._lost or error
        self._failure = error
        parting = self._client.parting if self._client else None
        shipped = parting is not None and self._path is not None and parting.flow == self._path.flow
        if shipped and parting and self._path:
            self._path.send(memoryview(parting.datagram))
        now = time.monotonic()
        until = parting.until / 1000 if parting else 0.0
        if until <= now:
            until = now + max(DEFAULT_LIFETIME, self._lifetime)
        self._end(Closed(UNCONFIRMED if shipped else ABANDONED, "trapped", _date(until), until - now))

    # Between them.

    def _ask_machine(self, f: Callable[..., Any], *args: Any) -> None:
        """Calls the machine where nobody waits for an answer; that it has died everybody was told."""
        try:
            self._driver.run(f, *args)
        except TrappedError:
            pass
        except TurnError as e:
            self._driver.loop.call_exception_handler({"message": "turn: the machine refuses a call", "exception": e, "transport": self})

    def _tell(self, f: Callable[..., Any], *args: Any) -> None:
        """Calls the program; what it raises is its own affair, and the loop's."""
        try:
            f(*args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as e:
            self._driver.loop.call_exception_handler(
                {"message": f"turn: {f} failed", "exception": e, "transport": self, "protocol": self._protocol}
            )


_HANDLERS: dict[str, Callable[[TurnTransport, Event], None]] = {
    "allocated": TurnTransport._is_allocated,
    "refreshed": TurnTransport._is_refreshed,
    "permissionCreated": TurnTransport._is_granted,
    "channelBound": TurnTransport._is_granted,
    "permissionFailed": TurnTransport._is_refused,
    "channelFailed": TurnTransport._is_refused,
    "commandDropped": TurnTransport._is_refused,
    "needNewPort": TurnTransport._needs_port,
    "flowNeeded": TurnTransport._needs_port,
    "allocateFailed": TurnTransport._is_failed,
    "credentialsExpired": TurnTransport._is_failed,
    "allocationLost": TurnTransport._is_lost,
    "closed": TurnTransport._is_closed,
}


def _date(until: float) -> datetime | None:
    """An instant of time.monotonic() as a date."""
    return datetime.now(timezone.utc) + timedelta(seconds=until - time.monotonic()) if until else None
