"""What crosses the boundary, and an instance that goes wrong."""

import unittest
from unittest import mock

import wasmtime

import turnwasm
from play.bad_input import deaf
from play.leaks import configure
from turnwasm import abi_gen as abi
from turnwasm import calls
from turnwasm.address import pack, unpack
from turnwasm.credentials import prepare
from turnwasm.event import Event
from turnwasm.instance import Instance, Sink
from turnwasm.records import Reader, Writer


class Records(unittest.TestCase):
    def test_the_worked_example(self):
        """The config record of wasm/abi/doc.go: server 192.0.2.1:3478, username "bob"."""
        into = memoryview(bytearray(64))
        writer = Writer(into)
        writer.address(abi.ATTR_SERVER, pack("192.0.2.1", 3478)).bytes(abi.ATTR_USERNAME, b"bob")
        want = "10000800 0400960d c0000201 11000300 626f6200"
        self.assertEqual(bytes(into[: writer.length]), bytes.fromhex(want))
        self.assertEqual(Reader(bytes(into[: writer.length])).address(abi.ATTR_SERVER), ("192.0.2.1", 3478))
        writer.wipe()
        self.assertEqual(bytes(into), bytes(64))

    def test_no_record_is_read_beyond_its_end(self):
        whole = bytes.fromhex("01000400 11223344")
        for n in range(1, len(whole)):
            with self.assertRaises(ValueError, msg=f"{n} bytes"):
                Reader(whole[:n])

    def test_values_of_another_size_are_none(self):
        record = bytes.fromhex("36000300 01020300 14000100 07000000")
        self.assertIsNone(Reader(record).address(abi.ATTR_RELAYED))
        self.assertEqual(Reader(record).seconds(abi.ATTR_LIFETIME), 0)
        self.assertEqual(Event.read(record).name, "")

    def test_addresses(self):
        for addr in (("192.0.2.1", 1), ("2001:db8::1", 65535)):
            self.assertEqual(unpack(*pack(*addr)), addr)


class Credentials(unittest.TestCase):
    def test_the_opaque_string_profile(self):
        """RFC 8265 section 4.2.1: other spaces become plain ones, then NFC."""
        self.assertEqual(prepare("a\u3000b", "e\u0301"), (b"a b", "\u00e9".encode()))
        for bad in ("a\x00", "a\u200b", "\ud800", "\u1100"):
            with self.assertRaises(ValueError, msg=repr(bad)):
                prepare("alice", bad)
        with self.assertRaises(ValueError):
            prepare("a" * 509, "secret")


class Instances(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.module = turnwasm.Module.default()

    def open(self, instance, **told):
        sink = deaf()._replace(**told)
        return instance.open(0, configure, sink)

    def test_both_ways_to_call(self):
        def first_words():
            instance, sent = Instance(self.module), []
            client = self.open(instance, transmit=lambda datagram, flow: sent.append(bytes(datagram[:8])))
            client.allocate(1)
            return sent, instance.next, client.phase

        fast = first_words()
        with mock.patch.object(calls, "_ffi", None):
            self.assertEqual(first_words(), fast)

    def test_memory_grows_under_the_view(self):
        instance = Instance(self.module)
        before = instance.memory
        while instance.memory < before + (4 << 20):
            client = self.open(instance)
        client.allocate(1)
        self.assertEqual(client.phase, "allocating")

    def test_a_trap_poisons(self):
        instance, told = Instance(self.module), []
        client = self.open(instance, died=told.append)

        def dies(*args):
            raise wasmtime.Trap("planted")

        instance._guest.calls["turn_stats"] = dies
        with self.assertRaises(turnwasm.TrappedError) as first:
            client.stats()
        with mock.patch.dict(instance._guest.calls, {name: self.fail for name in instance._guest.calls}):
            for call in (lambda: client.allocate(1), client.stats, lambda: client.send(1, b"x", pack("192.0.2.7", 1)), client.free):
                with self.assertRaises(turnwasm.TrappedError):
                    call()
        self.assertEqual(told, [first.exception], "told once")
        self.assertEqual(instance.next, float("inf"))

    def test_answers_outside_of_the_region_are_the_end(self):
        for n, offset in ((1 << 20, 0), (1, 0xFFFFFFF0)):
            instance = Instance(self.module)
            client = self.open(instance)
            region = instance.region
            region.view[region.outs.offset + abi.DESC_OFFSET : region.outs.offset + abi.DESC_OFFSET + 4] = offset.to_bytes(4, "little")
            region.view[region.outs.offset + abi.DESC_LENGTH] = 32
            instance._guest.calls["turn_send"] = lambda now, count, n=n: n
            region.view[abi.HEAD_CONSUMED] = 1
            with self.assertRaises(turnwasm.TrappedError, msg=f"{n} descriptors, offset {offset}"):
                client.send(1, b"x", pack("192.0.2.7", 1))

    def test_a_burst_is_one_call(self):
        """Datagrams are read straight into the memory, up to the end of what there is, and an error comes behind them."""
        instance, batches = Instance(self.module), []
        client = self.open(instance)
        received = instance._guest.calls["turn_input"]
        instance._guest.calls["turn_input"] = lambda now, n: batches.append(n) or received(now, n)

        sizes = [9, 0, 1200]

        def recv_into(buffer):
            if not sizes:
                raise ConnectionRefusedError
            return sizes.pop()

        with self.assertRaises(ConnectionRefusedError):
            client.receive(1, 0, recv_into)
        self.assertEqual(batches, [3])
        self.assertEqual(client.stats()["ignoredMalformed"], 3)

    def test_who_is_told_may_call(self):
        """The drain rule: what a callback's own calls bring about is told behind the rest."""
        instance, told = Instance(self.module), []

        def on_event(e):
            told.append((e.name, client.phase))
            if e.name == "closed":
                client.free()

        client = instance.open(0, configure, Sink(lambda d, f: None, lambda d, a: None, on_event, lambda e: None))
        client.close(1, 0)
        self.assertEqual(told, [("closed", "closed")])
        self.assertEqual(instance.clients, 0)
