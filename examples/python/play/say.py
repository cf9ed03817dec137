"""JSON lines, and what the system says of this process."""

from __future__ import annotations

import json
import resource
import time
from typing import Any


def say(**record: Any) -> None:
    print(json.dumps(record), flush=True)


def milliseconds(since: float) -> float:
    return round(1000 * (time.perf_counter() - since), 3)


def resident_kb() -> int:
    """VmRSS; 0 where there is none."""
    try:
        with open("/proc/self/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    except OSError:
        return 0


def cpu_us() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return 1e6 * (used.ru_utime + used.ru_stime)
