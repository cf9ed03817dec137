"""One instance of the module: its calls, and what they answer. It has no sockets, no clock and no threads.

Whoever calls says what the time is, in ms on a monotonic clock, and does so from one thread at a time.
"""

from __future__ import annotations

import math
import struct
from collections import deque
from typing import Any, Callable, NamedTuple

from . import abi_gen as abi
from .address import Address, Packed
from .client import Client, Parting
from .errors import ModuleError, RefusedError, TrappedError, TurnError, code_error
from .event import Event
from .module import Module
from .records import Writer
from .region import Descriptor, Region

_MAX_ROUNDS = 1 << 16  # of one drain, so that a machine gone wrong cannot keep us for ever
_MAX_DATAGRAM = 65535
_MOST_READS = 32  # datagrams that are read before others have their turn


class Sink(NamedTuple):
    """Whoever is told what the machine wants of one client; none of these raises.

    transmit is called while a call is answered: it ships the datagram, whose bytes are good until it returns, and calls
    nothing of the instance. The others are called when the machine is drained, and may call it again.
    """

    transmit: Callable[[memoryview, int], None]  # a datagram for the server, on that flow
    data: Callable[[bytes, Address], None]  # a payload from a peer
    event: Callable[[Event], None]
    died: Callable[[TrappedError], None]


class Instance:
    def __init__(self, module: Module) -> None:
        self._guest = module.instantiate()
        self._clients: dict[int, Client] = {}
        self._telling: deque[tuple[Any, ...]] = deque()  # a function and its arguments
        self._busy = False
        self.dead: TrappedError | None = None
        """Why every call raises: the instance has trapped."""
        if "_initialize" in self._guest.calls:
            self.call("_initialize")
        version = self.call("turn_abi_version")
        if version != abi.VERSION:
            raise ModuleError(f"turn: the module speaks ABI version {version}, this host {abi.VERSION}")
        self.region = Region(self._guest, self.call("turn_memory"))
        if self.region.arena.size < _MAX_DATAGRAM + abi.HEADROOM + abi.TAILROOM:
            raise ModuleError(f"turn: an arena of {self.region.arena.size} bytes is too small")

    @property
    def next(self) -> float:
        """The next deadline of all clients in ms; inf = none."""
        return self.region.next if self.dead is None else math.inf

    @property
    def clients(self) -> int:
        """How many clients are alive."""
        return self.region.clients

    @property
    def memory(self) -> int:
        """The size of the linear memory in bytes."""
        return self._guest.memory.data_len(self._guest.store)

    def open(self, now: float, write: Callable[[Writer], Any], sink: Sink) -> Client:
        """Opens a client, which sends nothing before a command of its own. write writes its config record."""
        handle = self._answer(self.call("turn_open", now, self._record(write)))
        client = self._clients[handle] = Client(self, handle, sink)
        self._drain()
        return client

    def tick(self, now: float) -> None:
        """Does what is due, for some of the clients at least."""
        after = self.call("turn_tick", now)
        self._drain()
        if math.isnan(after):
            raise RefusedError(abi.CODE_ARGUMENT)

    def command(self, client: Client, now: float, write: Callable[[Writer], Any]) -> None:
        self.control("turn_command", now, client.handle, self._record(write))

    def control(self, name: str, *args: float) -> None:
        """A control call; then what it brought about is told, refused or not."""
        code = self.call(name, *args)
        error = code_error(code, self.region.error_text) if code < 0 else None
        self._drain()
        if error is not None:
            raise error

    def ask(self, name: str, handle: int) -> bytes:
        """A record that a call leaves in control-out."""
        return self.region.control(self._answer(self.call(name, handle)))

    def free(self, client: Client) -> None:
        self._clients.pop(client.handle, None)
        self._answer(self.call("turn_free", client.handle))

    def send(self, client: Client, now: float, payload: Any, peer: Packed) -> None:
        """Sends a payload, any object with bytes in it, to a peer."""
        self._living()
        region = self.region
        size, at = len(payload), region.arena.offset + abi.HEADROOM
        if size + abi.HEADROOM + abi.TAILROOM > region.arena.size:
            raise RefusedError(abi.CODE_TOO_LARGE)
        region.view[at : at + size] = payload
        region.set_in(0, client.handle, abi.KIND_SEND, 0, at, size, peer)
        status = self._batch("turn_send", now, 1)
        if status < 0:
            raise code_error(status)

    def receive(self, client: Client, now: float, flow: int, recv_into: Callable[[memoryview], int]) -> None:
        """Hands in what recv_into reads, straight into the module's memory, until it raises.

        BlockingIOError is the end of what there is; other errors are raised when what came before them was handed in.
        """
        self._living()
        region, n, failure = self.region, 0, None
        at, end = region.arena
        end += at
        try:
            while n < min(_MOST_READS, region.ins.size) and at + _MAX_DATAGRAM <= end:
                size = recv_into(region.view[at : at + _MAX_DATAGRAM])
                region.set_in(n, client.handle, abi.KIND_INPUT, flow, at, size)
                at, n = at + size + 7 & ~7, n + 1
        except BlockingIOError:
            pass
        except OSError as e:
            failure = e
        if n > 0:
            self._batch("turn_input", now, n)
        if failure is not None:
            raise failure

    def call(self, name: str, *args: float) -> Any:
        """Calls an export. Whatever it raises is the end: an engine runs later calls on the corrupt state."""
        self._living()
        try:
            return self._guest.calls[name](*args)
        except (TypeError, KeyError):  # a mistake in the arguments: nothing was called
            raise
        except BaseException as e:
            error = self._die(name, e)
            if isinstance(e, Exception):
                raise error from e
            raise  # the user's interrupt, with whatever the call had answered lost

    def _living(self) -> None:
        if self.dead is not None:
            raise self.dead.with_traceback(None)

    def _answer(self, code: int) -> int:
        if code < 0:
            raise code_error(code, self.region.error_text)
        return code

    def _record(self, write: Callable[[Writer], Any]) -> int:
        """Has a record written where the guest reads it; the guest wipes it."""
        self._living()
        writer = Writer(self.region.record())
        try:
            write(writer)
        except BaseException:
            writer.wipe()
            raise
        return writer.length

    def _batch(self, name: str, now: float, n: int) -> int:
        """Runs in-descriptors through a call until all are done; the first status that is an error."""
        first = 0
        for _ in range(_MAX_ROUNDS):
            outs = self._answer(self.call(name, now, n))
            done = self.region.consumed
            if done > n:
                raise self._die(name, RuntimeError(f"it has done {done} of {n}"))
            for i in range(done):
                first = first or self.region.status(i)
            if done < n:
                self.region.shift(done, n)
            n -= done
            self._take(name, outs)
            if n == 0:
                self._drain()
                return first
            self._poll()
        raise self._die(name, RuntimeError("its batches make no progress"))

    def _drain(self) -> None:
        """Takes what the machine has to say, then tells it."""
        self._poll()
        self._tell()

    def _poll(self) -> None:
        for _ in range(_MAX_ROUNDS):
            if not self.region.pending:
                return
            self._take("turn_poll", self.call("turn_poll"))
        raise self._die("turn_poll", RuntimeError("it does not drain"))

    def _take(self, name: str, n: int) -> None:
        """Reads the out-descriptors of a call."""
        try:
            for i in range(n):
                d = self.region.out(i)
                client = self._clients.get(d.client)
                if client is not None:
                    self._take_one(client, d)
        except (IndexError, ValueError, struct.error) as e:
            raise self._die(name, e) from e

    def _take_one(self, client: Client, d: Descriptor) -> None:
        sink, view = client.sink, self.region.view
        for i in range(max(d.packets, 1)):
            at = d.offset + i * d.stride
            packet = view[at : at + d.length]
            if d.kind == abi.KIND_TRANSMIT:
                sink.transmit(packet, d.flow)
            elif d.kind == abi.KIND_DATA:
                self._telling.append((sink.data, bytes(packet), d.address))
            elif d.kind == abi.KIND_EVENT:
                self._telling.append((sink.event, Event.read(bytes(packet))))
            elif d.kind == abi.KIND_PARTING:
                client.parting = Parting(d.flow, bytes(packet), d.instant) if d.length else None

    def _tell(self) -> None:
        """Tells what was taken, in its order. Whoever is told may call again: what comes of it is told behind the rest."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._telling:
                tell, *args = self._telling.popleft()
                tell(*args)
        finally:
            self._busy = False

    def _die(self, name: str, cause: BaseException) -> TurnError:
        """Ends the instance: nothing of it is called any more."""
        if self.dead is None:
            words = str(self._guest.last_words)
            why = str(cause).strip().split("\n")[-1].strip() or type(cause).__name__  # behind a backtrace of numbers
            self.dead = TrappedError(f"turn: the instance died in {name}: {why}" + (f": {words}" if words else ""))
            clients, self._clients = list(self._clients.values()), {}
            self._telling.extend((client.sink.died, self.dead) for client in clients)
            self._tell()
        return self.dead
