"""Checks a TURN server: allocates, echoes payloads through the relay, closes, and says what came of each."""

from __future__ import annotations

import time

import turnwasm
from turnwasm.address import text

from .echo import Echo
from .say import cpu_us, milliseconds, resident_kb, say


def address(text: str) -> turnwasm.Address:
    """IP:PORT, [IP]:PORT."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"want IP:PORT, not {text!r}")
    return host.strip("[]"), int(port)


async def run(module: turnwasm.Module, server: str, username: str, password: str, peer: turnwasm.Address, count: int, start: float) -> bool:
    try:
        transport, echo = await turnwasm.create_turn_endpoint(
            lambda: Echo(peer, count), server, username=username, password=password, driver=turnwasm.Driver(module)
        )
        cold = milliseconds(start)
        allocated(transport, cold)
        used = cpu_us()
        await transport.bind_channel(peer)
        await echo.run()
        used = cpu_us() - used
        well = echoed(echo)
        well = await close(transport) and well

        begin = time.perf_counter()
        transport, _ = await turnwasm.create_turn_endpoint(
            turnwasm.TurnProtocol, server, username=username, password=password, driver=turnwasm.Driver(module)
        )
        warm = milliseconds(begin)
        well = (await transport.aclose()).good and well
    except turnwasm.RequestError as e:
        say(event="failed", method=e.method, code=e.code, reason=e.reason, signed=e.signed)
        return False
    say(type="figures", cold_ms=cold, warm_ms=warm, rss_kb=resident_kb(), us_per_packet=round(used / (2 * max(count, 1)), 2))
    return well


def allocated(transport: turnwasm.TurnTransport, took: float) -> None:
    relayed, mapped, lifetime = map(transport.get_extra_info, ("sockname", "mapped", "lifetime"))
    say(event="allocated", relayed=text(relayed), mapped=text(mapped), lifetime=int(lifetime), ms=took)


def echoed(echo: Echo) -> bool:
    trips = sorted(echo.trips)
    rtt = {f"p{p}": round(trips[max(0, (len(trips) * p + 99) // 100 - 1)], 3) if trips else 0 for p in (50, 99)}
    say(event="echoed", sent=echo.count, received=len(trips), lost=len(echo.lost), rttMs=rtt)
    return len(trips) == echo.count


async def close(transport: turnwasm.TurnTransport) -> bool:
    begin = time.perf_counter()
    closed = await transport.aclose()
    until = closed.until.isoformat(timespec="seconds") if closed.until else ""
    reuse = round(closed.reuse_after * 1000)
    say(event="closed", outcome=closed.outcome, reason=closed.reason, reuseAfterMs=reuse, until=until, ms=milliseconds(begin))
    return closed.good
