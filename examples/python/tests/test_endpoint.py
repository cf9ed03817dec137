"""Transports against a small server on loopback."""

import asyncio
import gc
import socket
import unittest
import weakref
from unittest import mock

import wasmtime

import turnwasm
from play.fake_server import PASSWORD, USERNAME, FakeServer
from turnwasm.path import UdpPath
from turnwasm.uri import TurnURI

PEER = ("192.0.2.7", 9000)


class Recorder(turnwasm.TurnProtocol):
    def __init__(self):
        self.events = []
        self.received = asyncio.Queue()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.received.put_nowait((data, addr))

    def event_received(self, event):
        self.events.append(event.name)

    def connection_lost(self, exc):
        self.lost.set_result(exc)


class Endpoint(unittest.IsolatedAsyncioTestCase):
    async def start(self, mismatches=0):
        self.server = await FakeServer.start(mismatches)
        self.addCleanup(self.server.close)

    async def open(self, **kwargs):
        return await turnwasm.create_turn_endpoint(Recorder, self.server.uri, username=USERNAME, password=PASSWORD, **kwargs)

    async def test_opens_and_closes(self):
        await self.start()
        transport, protocol = await self.open()
        self.assertIs(protocol.transport, transport)
        self.assertEqual(transport.get_extra_info("sockname"), ("127.0.0.1", 49152))
        self.assertEqual(transport.get_extra_info("mapped")[0], "127.0.0.1")
        self.assertEqual(transport.get_extra_info("lifetime"), 600)
        self.assertEqual(transport.get_extra_info("nothing", 7), 7)
        closed = await transport.aclose()
        self.assertEqual(closed.outcome, "released")
        self.assertIs(await transport.aclose(0), closed, "a second close has the same verdict")
        self.assertIsNone(await protocol.lost)
        self.assertEqual(await self.server.lifetimes.get(), 0, "the release's LIFETIME")
        self.assertEqual(protocol.events, ["allocated", "closed"])

    async def test_payloads_there_and_back(self):
        await self.start()
        transport, protocol = await self.open()
        for data in (b"hello", bytearray(b"bytes"), memoryview(b"view"), b""):
            transport.sendto(data, PEER)
            self.assertEqual(await protocol.received.get(), (bytes(data), PEER))
        self.assertEqual(transport.stats()["payloadsReceived"], 4)
        await transport.aclose()

    async def test_permission_and_channel_twice(self):
        await self.start()
        transport, protocol = await self.open()
        await asyncio.gather(*[transport.create_permission(PEER[0]) for _ in range(2)], *[transport.bind_channel(PEER) for _ in range(2)])
        await transport.create_permission(PEER[0])
        await transport.bind_channel(PEER)
        self.assertEqual(protocol.events.count("channelBound"), 1)
        await transport.aclose()

    async def test_takes_another_port_after_437(self):
        await self.start(mismatches=2)
        paths, opens = [], UdpPath.open
        with mock.patch.object(UdpPath, "open", side_effect=lambda *args: paths.append(opens(*args)) or paths[-1]):
            transport, _ = await self.open()
        self.assertEqual([path.sock.fileno() >= 0 for path in paths], [False, False, True], "sockets left open")
        self.assertEqual((await transport.aclose()).outcome, "released")
        self.assertEqual(paths[-1].sock.fileno(), -1)

    async def test_gives_up_after_three_ports(self):
        await self.start(mismatches=3)
        with self.assertRaises(turnwasm.RequestError) as failed:
            await self.open()
        self.assertEqual(failed.exception.code, 437)

    async def test_no_credentials_where_they_are_needed(self):
        await self.start()
        with self.assertRaises(turnwasm.RequestError) as failed:
            await turnwasm.create_turn_endpoint(Recorder, self.server.uri)
        self.assertEqual((failed.exception.method, failed.exception.code), ("Allocate", 401))

    async def test_who_stops_waiting_leaves_nothing_behind(self):
        await self.start()
        self.server.silent = True
        driver = turnwasm.Driver(turnwasm.Module.default())
        opening = asyncio.ensure_future(self.open(driver=driver))
        while driver.instance.clients == 0:
            await asyncio.sleep(0)
        opening.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await opening
        self.assertEqual(driver.instance.clients, 0)

    async def test_a_server_that_says_nothing_to_the_close(self):
        await self.start()
        transport, _ = await self.open()
        self.server.silent = True
        waiting = asyncio.ensure_future(transport.aclose(60))
        await asyncio.sleep(0)
        closed = await transport.aclose(0)  # a shorter linger
        self.assertEqual(closed.outcome, "unconfirmed")
        self.assertIsNotNone(closed.until)
        self.assertIs(await waiting, closed)

    async def test_the_instance_dies(self):
        await self.start()
        transport, protocol = await self.open(driver=turnwasm.Driver(turnwasm.Module.default()))
        calls = transport._driver.instance._guest.calls
        with mock.patch.dict(calls, turn_send=mock.Mock(side_effect=wasmtime.Trap("planted"))), self.assertRaises(turnwasm.TrappedError):
            transport.sendto(b"x", PEER)
        self.assertEqual(await self.server.lifetimes.get(), 0, "the LIFETIME of the release that was kept")
        closed = await transport.aclose()
        self.assertEqual(closed.outcome, "unconfirmed")
        self.assertIsNotNone(closed.until)
        self.assertIsInstance(await protocol.lost, turnwasm.TrappedError)

    async def test_a_program_that_fails_harms_nobody(self):
        await self.start()
        transport, protocol = await self.open()
        told = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))
        protocol.datagram_received = lambda data, addr: protocol.received.put_nowait(addr) or 1 / 0
        for _ in range(2):
            transport.sendto(b"x", PEER)
            await protocol.received.get()
        self.assertEqual([type(e) for e in told], [ZeroDivisionError] * 2)
        self.assertEqual((await transport.aclose()).outcome, "released")

    async def test_close_in_a_callback(self):
        await self.start()
        transport, protocol = await self.open()
        protocol.datagram_received = lambda data, addr: transport.close()
        transport.sendto(b"x", PEER)
        self.assertIsNone(await protocol.lost)
        self.assertTrue(transport.is_closing())

    async def test_close_while_it_is_made(self):
        """In connection_made, as asyncio allows it: the others of the instance are told what is theirs."""
        await self.start()
        protocol, failures = Recorder(), []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))
        protocol.connection_made = lambda transport: transport.abort()
        with self.assertRaises(turnwasm.ClosedError):
            await turnwasm.create_turn_endpoint(lambda: protocol, self.server.uri, username=USERNAME, password=PASSWORD)
        self.assertEqual(await self.server.lifetimes.get(), 0)
        self.assertEqual((protocol.events[-1], failures), ("closed", []))

    async def test_the_instance_dies_when_one_has_just_closed(self):
        await self.start()
        driver = turnwasm.Driver(turnwasm.Module.default())
        transport, _ = await self.open(driver=driver)
        other, protocol = await self.open(driver=driver)
        await transport.aclose()
        transport._died(turnwasm.TrappedError("planted"))  # it was told behind its "closed"
        self.assertEqual((await transport.aclose()).outcome, "released")
        self.assertEqual((await other.aclose()).outcome, "released")

    async def test_a_peer_as_a_dual_stack_socket_spells_it(self):
        await self.start()
        transport, protocol = await self.open()
        await transport.create_permission(f"::ffff:{PEER[0]}")
        transport.sendto(b"x", (f"::ffff:{PEER[0]}", PEER[1], 0, 0))
        self.assertEqual(await protocol.received.get(), (b"x", PEER))
        await transport.bind_channel((f"::ffff:{PEER[0]}", PEER[1], 0, 0))
        await transport.aclose()

    async def test_the_next_address_where_one_does_not_answer(self):
        await self.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(("127.0.0.1", 0))
            deaf = nobody.getsockname()
        found = [(socket.AF_INET, deaf), (socket.AF_INET, ("127.0.0.1", TurnURI.parse(self.server.uri).port))]
        with mock.patch.object(TurnURI, "resolve", return_value=found):
            transport, _ = await self.open()
        self.assertEqual((await transport.aclose()).outcome, "released")

    async def test_the_instance_goes_with_the_last_transport(self):
        await self.start()
        transport, protocol = await self.open()
        instance = weakref.ref(transport._driver.instance)
        other, _ = await self.open()
        self.assertIs(other._driver.instance, instance())
        await transport.aclose()
        await other.aclose()
        await protocol.lost
        del transport, other, protocol, _
        await asyncio.sleep(0)
        gc.collect()
        self.assertIsNone(instance())


class URI(unittest.TestCase):
    def test_forms(self):
        for uri, want in {
            "turn:turn.example.org": ("turn.example.org", 3478),
            "TURN:Example.ORG:5000?transport=UDP": ("example.org", 5000),
            "turn:[2001:DB8::1]:3479": ("2001:db8::1", 3479),
        }.items():
            self.assertEqual(TurnURI.parse(uri), want)
