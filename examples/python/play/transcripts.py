"""Replays what "go run ./wasm/internal/transcripts" has written down, and compares every byte."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import turnwasm
from turnwasm import abi_gen as abi
from turnwasm.instance import Instance

from .say import say

EXPECTED = ("ret", "status", "error", "control", "next", "out")


def replay(module: turnwasm.Module, file: str) -> bool:
    scripts = steps = 0
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            script = json.loads(line)
            player = Player(module)
            for i, step in enumerate(script["steps"], 1):
                want, got = {k: step[k] for k in EXPECTED if k in step}, player.play(step)
                if got != want:
                    different = {k: (want.get(k), got.get(k)) for k in EXPECTED if want.get(k) != got.get(k)}
                    print(f"transcripts: {script['script']}: step {i} ({step['call']}): want, got: {different}", file=sys.stderr)
                    return False
                steps += 1
            scripts += 1
    say(type="transcripts", scripts=scripts, steps=steps)
    return scripts > 0


class Player:
    """One script in an instance of its own."""

    def __init__(self, module: turnwasm.Module) -> None:
        self._instance = Instance(module)
        self._region = self._instance.region

    def play(self, step: dict[str, Any]) -> dict[str, Any]:
        call, batch = step["call"], "desc" in step
        ret = self._instance.call(call, *self._arguments(step))
        status = self._region.status(0) if batch else 0
        got: dict[str, Any] = {"ret": None if ret == math.inf else ret}
        if status:
            got["status"] = status
        if (ret < 0 or status < 0) and self._region.error_text:
            got["error"] = self._region.error_text
        if call in ("turn_state", "turn_stats") and ret > 0:
            got["control"] = self._region.control(ret).hex()
        got["out"] = self._drain(ret if batch or call == "turn_parting" else 0)
        got["next"] = None if self._region.next == math.inf else self._region.next
        return got

    def _arguments(self, step: dict[str, Any]) -> list[float]:
        """Puts what goes in where it belongs; the call's arguments."""
        args = [step["now"]] if "now" in step else []
        args += [math.inf if a is None else a for a in step.get("args", ())]
        if "in" in step:
            record = bytes.fromhex(step["in"])
            self._region.record()[: len(record)] = record
            args.append(len(record))
        if "desc" in step:
            self._place(step["desc"])
            args.append(1)
        return args

    def _place(self, desc: dict[str, Any]) -> None:
        data = bytes.fromhex(desc["data"])
        at = self._region.arena.offset + abi.HEADROOM
        self._region.view[at : at + len(data)] = data
        addr = desc.get("family", 0), desc.get("port", 0), bytes.fromhex(desc.get("addr", ""))
        self._region.set_in(0, desc["client"], desc["kind"], desc.get("flow", 0), at, len(data), addr)
        assert not desc.get("peer"), "no transcript has peer numbers"

    def _drain(self, answered: int) -> list[dict[str, Any]]:
        """What the call has answered, and what is to be polled after it."""
        told = [self._describe(i) for i in range(max(answered, 0))]
        while self._region.pending:
            told += [self._describe(i) for i in range(self._instance.call("turn_poll"))]
        return told

    def _describe(self, i: int) -> dict[str, Any]:
        """An out-descriptor as the transcript has it: what is 0 is left out."""
        d, view = self._region.out(i), self._region.view
        told: dict[str, Any] = {"client": d.client, "kind": d.kind}
        told.update({k: v for k in ("family", "port", "flow", "peer", "status", "channel") if (v := getattr(d, k))})
        if d.family:
            told["addr"] = d.addr.hex()
        if d.tag:
            told["tag"] = f"{d.tag:016x}"
        starts = [d.offset + k * d.stride for k in range(max(d.packets, 1))]
        told["data"] = [bytes(view[at : at + d.length]).hex() for at in starts]
        return told
