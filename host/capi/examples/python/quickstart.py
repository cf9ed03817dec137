"""A relayed socket in Python by ctypes, checked: allocate, echoes, release. It prints what turnclient prints, as JSON lines.

    python3 quickstart.py check -server turn:HOST -username U -password P -peer HOST:PORT -count N
    python3 quickstart.py leaks -server turn:HOST -username U -password P
    python3 quickstart.py bad-input
"""

import argparse
import ctypes
import gc
import json
import resource
import sys
import threading
import time

START = time.perf_counter()

import turnwasm  # noqa: E402 (the start is counted)

UNDER_WAY = 32


def say(**record) -> None:
    print(json.dumps(record), flush=True)


def milliseconds(since: float) -> float:
    return round(1000 * (time.perf_counter() - since), 1)


def resident_kb() -> int:
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def cpu_us() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return 1e6 * (used.ru_utime + used.ru_stime)


def host_port(text: str):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def echo(socket, peer, count):
    """Sends count payloads, at most UNDER_WAY at a time, and those that are lost once more."""
    sent, trips, missing = {}, [], set(range(count))
    for _ in range(2):
        waiting, under_way = sorted(missing), 0
        while waiting or under_way > 0:
            while waiting and under_way < UNDER_WAY:
                number = waiting.pop(0)
                sent[number] = time.perf_counter()
                socket.sendto(number.to_bytes(4, "big").ljust(100, b"."), peer)
                under_way += 1
            try:
                data, _ = socket.recvfrom(timeout=1)
            except turnwasm.TurnError as e:
                if e.code != turnwasm.TIMEOUT:
                    raise
                under_way = 0  # the rest is lost
                continue
            number = int.from_bytes(data[:4], "big")
            if number in missing:
                missing.discard(number)
                trips.append(1000 * (time.perf_counter() - sent[number]))
                under_way -= 1
    trips.sort()
    say(event="echoed", sent=count, received=len(trips), rttMs={"p50": trips[len(trips) // 2] if trips else 0, "p99": trips[len(trips) * 99 // 100] if trips else 0})
    return not missing


def close_twice(socket):
    """Two threads close, and hear the same."""
    heard = []
    threads = [threading.Thread(target=lambda: heard.append(socket.close())) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if len(heard) != 2 or heard[0] != heard[1]:
        raise AssertionError(f"two verdicts: {heard}")
    return heard[0]


def check(o) -> int:
    peer = host_port(o.peer)
    runtime = turnwasm.Runtime(cache_dir="")
    socket = turnwasm.Socket(o.server, o.username, o.password, runtime=runtime, timeout=60)
    cold = milliseconds(START)
    say(event="allocated", relayed="%s:%d" % socket.relayed, mapped="%s:%d" % socket.mapped, lifetime=socket.lifetime, ms=cold)
    before = cpu_us()
    well = echo(socket, peer, o.count)
    each = (cpu_us() - before) / (2 * o.count)
    socket.bind_channel(peer)
    socket.unbind_channel(peer)
    socket.remove_permission(peer[0])
    began = time.perf_counter()
    closed = close_twice(socket)
    say(event="closed", outcome=closed.outcome, reason=closed.reason, reuseAfterMs=1000 * closed.reuse_after, ms=milliseconds(began))
    runtime.close()
    began = time.perf_counter()
    with turnwasm.Runtime() as again, turnwasm.Socket(o.server, o.username, o.password, runtime=again):
        warm = milliseconds(began)
    say(type="figures", cold_ms=cold, warm_ms=warm, rss_kb=resident_kb(), us_per_packet=round(each, 1))
    return 0 if well and closed.outcome == "released" else 1


SLACK_KB = 24 << 10  # Go's collector comes and goes, so of many runtimes the floors are compared: what leaks raises them


def leaks(o) -> int:
    def many(runtime, sockets):
        for _ in range(sockets):
            outcome = turnwasm.Socket(o.server, o.username, o.password, runtime=runtime, rto=0.1).close().outcome
            assert outcome == "released", outcome

    with turnwasm.Runtime() as runtime:
        many(runtime, 500)
        half = resident_kb()
        many(runtime, 500)
        whole = resident_kb()
    ends = []
    for _ in range(20):
        with turnwasm.Runtime() as runtime:
            many(runtime, 10)
        gc.collect()
        ends.append(resident_kb())
    halfway, end = min(ends[:10]), min(ends[10:])
    say(type="leaks", sockets=1000, half_kb=half, whole_kb=whole, runtimes=20, halfway_kb=halfway, end_kb=end)
    return 0 if whole <= half + SLACK_KB and end <= halfway + SLACK_KB else 1


def bad_input(o) -> int:
    nobody = turnwasm.Socket.__new__(turnwasm.Socket)
    nobody.handle, nobody.closed, nobody._closing = 987654321, None, threading.Lock()
    closed = turnwasm.Runtime()
    closed.close()
    cases = {
        "a socket that never was": (lambda: nobody.sendto(b"x", ("127.0.0.1", 9)), -1),
        "nothing to receive from": (lambda: nobody.recvfrom(timeout=0), -1),
        "closing nobody": (lambda: nobody.close(), -1),
        "the descriptor of nobody": (lambda: nobody.fileno(), -1),
        "a runtime that is closed": (lambda: closed.close(), -1),
        "a socket in a runtime that is closed": (lambda: turnwasm.Socket("turn:127.0.0.1", "u", "p", runtime=closed), -1),
        "not a TURN URI": (lambda: turnwasm.Socket("http://127.0.0.1"), -2),
        "a username without a password": (lambda: turnwasm.Socket("turn:127.0.0.1", "alice"), -2),
        "a zero byte in a password": (lambda: turnwasm.Socket("turn:127.0.0.1", "u", "secret\0x"), "ValueError"),
        "a channel of nobody": (lambda: nobody.unbind_channel(("127.0.0.1", 9)), -1),
        "a permission of nobody": (lambda: nobody.remove_permission("127.0.0.1"), -1),
        "not an IP address": (lambda: nobody.sendto(b"x", ("localhost", 9)), "ValueError"),
        "nobody there": (lambda: turnwasm.Socket("turn:127.0.0.1:1", "u", "p", timeout=5), -6),
        "no configuration": (lambda: turnwasm._call("dial", 0, None, ctypes.byref(ctypes.c_uint64())), -2),
        "no size": (lambda: turnwasm._call("dial", 0, ctypes.byref(turnwasm._Config()), ctypes.byref(ctypes.c_uint64())), -2),
    }
    wrong = 0
    for case, (call, want) in cases.items():
        try:
            call()
            code, text = 0, "nothing was wrong"
        except ValueError as e:
            code, text = ValueError.__name__, str(e)
        except turnwasm.TurnError as e:
            code, text = e.code, e.text
        say(type="bad-input", case=case, code=code, text=text)
        if code != want or not text:
            print(f"quickstart: {case}: {code}, want {want}", file=sys.stderr)
            wrong = 1
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="A relayed socket, checked.")
    parser.add_argument("what", choices=["check", "leaks", "bad-input"])
    for name in ("server", "username", "password", "peer"):
        parser.add_argument("-" + name, default="")
    parser.add_argument("-count", type=int, default=1000)
    o = parser.parse_args()
    try:
        return {"check": check, "leaks": leaks, "bad-input": bad_input}[o.what](o)
    except turnwasm.TurnError as e:
        say(event="failed", method=e.method, code=e.stun_code, reason=e.text)
        print("quickstart:", e.text, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
