"""What goes wrong is an exception with a code and a text, and never the end of the program."""

from __future__ import annotations

import asyncio
import inspect
import math
import sys
from typing import Any, Callable

import turnwasm
from turnwasm import abi_gen as abi
from turnwasm.address import pack
from turnwasm.client import Client
from turnwasm.instance import Instance, Sink
from turnwasm.module import Module

from .fake_server import PASSWORD, USERNAME, FakeServer
from .leaks import configure
from .say import say
from .tiny_module import tiny_module

PEER = ("192.0.2.7", 9000)


async def run(module: Module, trap: str | None) -> bool:
    test = BadInput(module)
    await test.modules()
    await test.handles()
    await test.arguments()
    server = await FakeServer.start()
    await test.endpoints(server)
    await test.transports(server)
    if trap:
        await test.trapped(server, trap)
    server.close()
    return test.good


class Refusals(asyncio.DatagramProtocol):
    """Keeps what error_received is told."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc


class BadInput:
    def __init__(self, module: Module) -> None:
        self._module = module
        self.good = True

    async def _refuses(self, case: str, want: str, mistake: Callable[[], Any]) -> None:
        """Runs a case, which is to fail in this way: a TurnError's kind, or "argument" for a caller's mistake."""
        kind, number, text = "none", 0, "it was taken"
        try:
            answer = mistake()
            if inspect.isawaitable(answer):
                await answer
        except turnwasm.TurnError as e:
            kind, number, text = e.kind, e.code, str(e)
        except (ValueError, TypeError) as e:
            kind, text = "argument", str(e)
        except Exception as e:  # what no case is to raise
            text = repr(e)
        say(type="bad-input", case=case, code=kind, number=number, text=text)
        if kind != want:
            self.good = False
            print(f"bad-input: {case}: want {want}, got {kind}: {text}", file=sys.stderr)

    def _want(self, what: str, fine: bool) -> None:
        if not fine:
            self.good = False
            print(f"bad-input: {what}", file=sys.stderr)

    async def modules(self) -> None:
        def tiny(answer: int = abi.VERSION, **changed: int | None) -> Callable[[], Instance]:
            exports = {k: v for k, v in {**abi.EXPORTS, **changed}.items() if v is not None}
            return lambda: Instance(Module(tiny_module(exports, answer)))

        await self._refuses("another version", "module", tiny(abi.VERSION + 1))
        await self._refuses("no region", "module", tiny())
        await self._refuses("another signature", "module", tiny(turn_send=1))
        await self._refuses("a missing export", "module", tiny(turn_send=None))
        await self._refuses("no turn_abi_version", "module", tiny(turn_abi_version=None))
        await self._refuses("not wasm", "module", lambda: Module(b"<html>404</html>"))
        await self._refuses("no bytes", "module", lambda: Module(b""))
        await self._refuses("wasm that is cut off", "module", lambda: Module(b"\0asm\1\0\0\0\1\x5a\3"))
        await self._refuses(
            "an import that there is not", "module", lambda: Instance(Module(tiny_module(abi.EXPORTS, 1, '(import "a" "b" (func))')))
        )
        await self._refuses("no such file", "module", lambda: Module.load("/nonexistent/turn.wasm"))

    async def handles(self) -> None:
        instance = Instance(self._module)
        freed = instance.open(0, configure, deaf())
        freed.free()
        await self._refuses("a freed handle", "refused", lambda: freed.allocate(1))
        await self._refuses("a handle freed again", "refused", freed.free)
        await self._refuses("a foreign handle", "refused", lambda: Client(instance, 0x7FFFFFFF, deaf()).allocate(1))
        await self._refuses("a negative handle", "refused", lambda: Client(instance, -5, deaf()).stats())
        await self._refuses("a payload for a stale handle", "refused", lambda: freed.send(1, bytes(10), pack(*PEER)))
        closed = instance.open(0, configure, deaf())
        closed.close(1, 0)
        await self._refuses("a closed client", "closed", lambda: closed.allocate(2))
        await self._refuses("a payload for a closed client", "closed", lambda: closed.send(2, bytes(10), pack(*PEER)))

    async def arguments(self) -> None:
        instance = Instance(self._module)
        client = instance.open(0, configure, deaf())
        command = client.handle
        await self._refuses("a time that is none", "refused", lambda: client.allocate(math.nan))
        await self._refuses("a tick at no time", "refused", lambda: instance.tick(math.nan))
        await self._refuses("a record that is cut off", "refused", lambda: instance.control("turn_command", 1, command, 3))
        await self._refuses("a record longer than its place", "refused", lambda: instance.control("turn_command", 1, command, 1 << 30))
        await self._refuses("a record of a negative length", "refused", lambda: instance.control("turn_command", 1, command, -1))
        await self._refuses(
            "a record that does not fit", "argument", lambda: instance.open(1, lambda r: r.bytes(1, bytes(1 << 20)), deaf())
        )
        await self._refuses("a batch longer than its place", "refused", lambda: instance.control("turn_input", 1, 1 << 20))
        await self._refuses("arguments of another type", "argument", lambda: instance.control("turn_free", "one"))  # type: ignore[arg-type]
        await self._refuses("a payload too large", "refused", lambda: client.send(1, bytes(70_000), pack(*PEER)))
        await self._refuses("a payload larger than the arena", "refused", lambda: client.send(1, bytes(64 << 20), pack(*PEER)))
        await self._refuses("a payload before the allocation", "refused", lambda: client.send(1, bytes(10), pack(*PEER)))
        await self._refuses("a peer that is a name", "argument", lambda: pack("example.org", 1))

    async def endpoints(self, server: FakeServer) -> None:
        def opens(uri: Any, username: Any = USERNAME, password: Any = PASSWORD) -> Callable[[], Any]:
            return lambda: turnwasm.create_turn_endpoint(Refusals, uri, username=username, password=password)

        for uri in ("", "turn:", "http://127.0.0.1", "turn://127.0.0.1", "turn:alice@127.0.0.1", "turn:127.0.0.1:99999", None):
            await self._refuses(f"the URI {uri!r}", "argument", opens(uri))
        await self._refuses("a URI with TLS", "unsupported", opens("turns:127.0.0.1"))
        await self._refuses("a URI with TCP", "unsupported", opens("turn:127.0.0.1?transport=tcp"))
        await self._refuses("a username without a password", "argument", opens(server.uri, USERNAME, ""))
        await self._refuses("a password without a username", "argument", opens(server.uri, "", PASSWORD))
        await self._refuses("a username that is bytes", "argument", opens(server.uri, b"alice"))
        await self._refuses("no credentials where they are needed", "request", opens(server.uri, "", ""))

    async def transports(self, server: FakeServer) -> None:
        driver = turnwasm.Driver(self._module)
        transport, told = await turnwasm.create_turn_endpoint(Refusals, server.uri, username=USERNAME, password=PASSWORD, driver=driver)
        for size, addr in ((1, None), (1, "192.0.2.7"), (1, ("example.org", 1)), (1, ("192.0.2.7", 99_999))):
            await self._refuses(f"sendto {addr!r}", "argument", lambda size=size, addr=addr: transport.sendto(bytes(size), addr))  # type: ignore[misc]
        await self._refuses("a payload that is text", "argument", lambda: transport.sendto("hello", PEER))
        await self._refuses("a linger that is none", "argument", lambda: transport.aclose(-1))
        transport.sendto(bytes(70_000), PEER)
        await self._refuses("a datagram too large", "refused", lambda: raises(told.errors.pop()))
        closed = await transport.aclose()
        await self._refuses("a payload after the close", "closed", lambda: transport.sendto(b"x", PEER))
        await self._refuses("a channel after the close", "closed", lambda: transport.bind_channel(PEER))
        await self._refuses("a permission after the close", "closed", lambda: transport.create_permission(PEER[0]))
        await self._refuses("counters after the close", "closed", transport.stats)
        self._want(f"closed {closed}", closed.good and await transport.aclose(0) is closed and told.lost is None)

    async def trapped(self, server: FakeServer, file: str) -> None:
        """The instance dies under an open transport: the release that was kept is shipped, every later call says why."""
        driver = turnwasm.Driver(Module.load(file))
        credentials = {"username": USERNAME, "password": PASSWORD, "driver": driver}
        transport, told = await turnwasm.create_turn_endpoint(Refusals, server.uri, **credentials)  # type: ignore[arg-type]
        while not server.lifetimes.empty():
            server.lifetimes.get_nowait()  # of the transports before
        await self._refuses("a trap", "trapped", lambda: driver.run(lambda now: driver.instance.call("turn_trap")))
        await self._refuses("a payload after the trap", "trapped", lambda: transport.sendto(b"x", PEER))
        await self._refuses("a channel after the trap", "trapped", lambda: transport.bind_channel(PEER))
        await self._refuses(
            "a transport after the trap",
            "trapped",
            lambda: turnwasm.create_turn_endpoint(Refusals, server.uri, **credentials),  # type: ignore[arg-type]
        )
        lifetime = await asyncio.wait_for(server.lifetimes.get(), 10)
        closed = await transport.aclose()
        self._want(f"the release that was kept: LIFETIME {lifetime}", lifetime == 0)
        self._want(f"closed by a trap: {closed}", closed.outcome == "unconfirmed" and closed.until is not None)
        self._want("connection_lost does not say why", isinstance(told.lost, turnwasm.TrappedError))


def raises(error: Exception) -> None:
    raise error


def deaf() -> Sink:
    return Sink(transmit=lambda datagram, flow: None, data=lambda payload, addr: None, event=lambda e: None, died=lambda error: None)
