"""1,000 clients in one instance, 20 instances in turn: nothing is left, and memory is flat."""

from __future__ import annotations

import gc

import turnwasm
from turnwasm import abi_gen as abi
from turnwasm.address import pack
from turnwasm.driver import Driver
from turnwasm.instance import Instance, Sink
from turnwasm.records import Writer

from .say import resident_kb, say

CLIENTS = 1000
INSTANCES = 20
CLIENTS_EACH = 50

MOST_LINEAR = 1 << 20
"""What linear memory may grow by in the second half: Go's heap takes its time to settle."""

MOST_RESIDENT_KB = 4 << 10
"""What the process may grow by in ten more instances: one alone that were kept is 10 MB."""


def check(module: turnwasm.Module) -> bool:
    closed: list[str] = []
    one = Instance(module)
    linear = [half(one, CLIENTS // 2, closed) for _ in range(2)]
    left = one.clients

    resident = []
    for _ in range(2):
        for _ in range(INSTANCES // 2):
            instance = Instance(module)
            half(instance, CLIENTS_EACH, closed)
            left += instance.clients
            del instance
        gc.collect()
        resident.append(resident_kb())
    say(type="leaks", clients_left=left, closed=len(closed), linear_first=linear[0], linear=linear[1],
        rss_first_kb=resident[0], rss_kb=resident[1])  # fmt: skip
    every = len(closed) == CLIENTS + INSTANCES * CLIENTS_EACH
    return left == 0 and every and linear[1] - linear[0] <= MOST_LINEAR and resident[1] - resident[0] <= MOST_RESIDENT_KB


def half(instance: Instance, clients: int, closed: list[str]) -> int:
    for _ in range(clients):
        live(instance, closed)
    return instance.memory


def live(instance: Instance, closed: list[str]) -> None:
    """A client's life: it allocates, is woken at its deadline, closes, is freed."""
    client = instance.open(Driver.now(), configure, Sink(
        transmit=lambda datagram, flow: None,
        data=lambda payload, addr: None,
        event=lambda e: closed.append(e.outcome) if e.name == "closed" else None,
        died=lambda error: None,
    ))  # fmt: skip
    client.allocate(Driver.now())
    instance.tick(max(Driver.now(), instance.next))
    client.close(instance.next, 0)
    client.free()


def configure(r: Writer) -> None:
    r.address(abi.ATTR_SERVER, pack("192.0.2.1", 3478)).bytes(abi.ATTR_USERNAME, b"alice").bytes(abi.ATTR_PASSWORD, b"secret")
