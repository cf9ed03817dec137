"""turnwasm by ctypes: a relayed UDP socket (TURN, RFC 8656). It needs the standard library and libturnwasm.so.

    with turnwasm.Socket("turn:turn.example.org", "alice", "secret") as s:
        print("relayed address", s.relayed)                 # for the peer
        s.sendto(b"hello", ("203.0.113.9", 4000))
        data, peer = s.recvfrom(timeout=5)
    print(s.closed.outcome)                                  # 'released'
"""

import ctypes
import ipaddress
import math
import os
import select
import threading
from dataclasses import dataclass
from typing import Optional, Tuple

Address = Tuple[str, int]

AGAIN, TIMEOUT, CLOSED = -3, -4, -5


class _Addr(ctypes.Structure):
    _fields_ = [("ip", ctypes.c_uint8 * 16), ("port", ctypes.c_uint16), ("family", ctypes.c_uint8), ("reserved", ctypes.c_uint8)]


class _Error(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_int32), ("stun_code", ctypes.c_int32), ("is_signed", ctypes.c_int32), ("reserved", ctypes.c_int32),
        ("retry_after_ms", ctypes.c_int64), ("until_ms", ctypes.c_int64), ("method", ctypes.c_char * 24), ("text", ctypes.c_char * 488),
    ]


class _RuntimeConfig(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("instances", ctypes.c_uint32),
        ("clients_per_instance", ctypes.c_uint32), ("cache_dir", ctypes.c_char_p),
    ]


class _Config(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("flags", ctypes.c_uint32)]
    _fields_ += [(name, ctypes.c_char_p) for name in ("url", "username", "password", "local_addr", "server_name", "ca_file", "software")]
    _fields_ += [(name, ctypes.c_int64) for name in ("timeout_ms", "lifetime_ms", "linger_ms", "keepalive_ms", "rto_ms")]
    _fields_ += [("family", ctypes.c_uint32), ("receive_queue", ctypes.c_uint32)]


class _Info(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("phase", ctypes.c_uint32)]
    _fields_ += [(name, _Addr) for name in ("relayed", "additional", "mapped", "local", "server")]
    _fields_ += [("reserved", ctypes.c_uint32), ("lifetime_ms", ctypes.c_int64)]


class _Closed(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("outcome", ctypes.c_int32), ("reuse_after_ms", ctypes.c_int64), ("until_ms", ctypes.c_int64),
        ("outcome_text", ctypes.c_char * 24), ("reason", ctypes.c_char * 216),
    ]


class TurnError(OSError):
    """What went wrong: code is a TURNWASM_E_ of turnwasm.h, stun_code the server's."""

    def __init__(self, code: int, text: str, stun_code: int = 0, method: str = "", retry_after: float = 0):
        super().__init__(text)
        self.code, self.text, self.stun_code, self.method, self.retry_after = code, text, stun_code, method, retry_after


@dataclass(frozen=True)
class Closed:
    """How a close ended; until is when the server lets go at the latest, seconds since 1970, or None."""

    outcome: str
    reason: str
    reuse_after: float
    until: Optional[float]


def _load() -> ctypes.CDLL:
    here = os.path.dirname(os.path.abspath(__file__))
    lib = ctypes.CDLL(os.environ.get("TURNWASM_LIBRARY") or os.path.join(here, "../../build/libturnwasm.so"))
    p, u64, i64, size = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int64, ctypes.c_size_t
    for name, result, args in (
        ("runtime_open", ctypes.c_int, (p, p, p)), ("runtime_close", ctypes.c_int, (u64, p)),
        ("dial", ctypes.c_int, (u64, p, p, p)), ("send", ctypes.c_int, (u64, ctypes.c_char_p, size, p, p)),
        ("recv", i64, (u64, p, size, p, i64, p)), ("fd", ctypes.c_int, (u64, p)), ("get_info", ctypes.c_int, (u64, p, p)),
        ("bind_channel", ctypes.c_int, (u64, p, i64, p)), ("unbind_channel", ctypes.c_int, (u64, p, p)),
        ("remove_permission", ctypes.c_int, (u64, p, p)), ("close", ctypes.c_int, (u64, i64, p, p)),
        ("version", ctypes.c_char_p, ()), ("strerror", ctypes.c_char_p, (ctypes.c_int,)),
    ):
        f = getattr(lib, "turnwasm_" + name)
        f.restype, f.argtypes = result, args
    return lib


_lib = _load()


def _call(name: str, *args) -> int:
    """Calls a function whose last argument takes the error, and raises that. It lets other threads run meanwhile."""
    error = _Error()
    n = getattr(_lib, "turnwasm_" + name)(*args, ctypes.byref(error))
    if n < 0:
        text = error.text.decode(errors="replace") or _lib.turnwasm_strerror(n).decode()
        raise TurnError(n, text, error.stun_code, error.method.decode(), error.retry_after_ms / 1000)
    return n


def _text(value: str) -> bytes:
    if "\0" in value:
        raise ValueError("a text with a zero byte in it")
    return value.encode()


def _ms(seconds: float) -> int:
    return math.ceil(1000 * seconds)  # a short time is not none


def _addr(peer: Address) -> _Addr:
    ip = ipaddress.ip_address(peer[0])
    if not 0 <= peer[1] <= 65535:
        raise ValueError(f"{peer[1]} is no port")
    raw = ip.packed
    return _Addr(ip=(ctypes.c_uint8 * 16)(*raw), port=peer[1], family=ip.version)


def _address(a: _Addr) -> Optional[Address]:
    if a.family == 0:
        return None
    return str(ipaddress.ip_address(bytes(a.ip[: 4 if a.family == 4 else 16]))), a.port


def version() -> str:
    return _lib.turnwasm_version().decode()


class Runtime:
    """Compiles the module once and keeps sockets in some instances of it. Few need one of their own."""

    def __init__(self, cache_dir: Optional[str] = None):
        config = _RuntimeConfig(size=ctypes.sizeof(_RuntimeConfig), cache_dir=None if cache_dir is None else _text(cache_dir))
        handle = ctypes.c_uint64()
        _call("runtime_open", ctypes.byref(config), ctypes.byref(handle))
        self.handle = handle.value

    def close(self) -> None:
        _call("runtime_close", self.handle)

    def __enter__(self) -> "Runtime":
        return self

    def __exit__(self, *_) -> None:
        self.close()


class Socket:
    """A relayed socket. All of it may be called from any thread; what waits lets other threads run."""

    def __init__(self, url: str, username: str = "", password: str = "", *, runtime: Optional[Runtime] = None, timeout: float = 0, rto: float = 0):
        config = _Config(
            size=ctypes.sizeof(_Config), url=_text(url), username=_text(username), password=_text(password),
            timeout_ms=_ms(timeout), rto_ms=_ms(rto),
        )
        handle = ctypes.c_uint64()
        _call("dial", runtime.handle if runtime else 0, ctypes.byref(config), ctypes.byref(handle))
        self.handle = handle.value
        self.closed: Optional[Closed] = None
        self._closing = threading.Lock()

    def _info(self) -> _Info:
        info = _Info(size=ctypes.sizeof(_Info))
        _call("get_info", self.handle, ctypes.byref(info))
        return info

    @property
    def relayed(self) -> Optional[Address]:
        """What peers send to."""
        return _address(self._info().relayed)

    @property
    def mapped(self) -> Optional[Address]:
        """Where the server sees us."""
        return _address(self._info().mapped)

    @property
    def lifetime(self) -> float:
        """What the server has granted last, in seconds."""
        return self._info().lifetime_ms / 1000

    def fileno(self) -> int:
        """For select and selectors: readable while a payload waits, and once the socket is closed."""
        return _call("fd", self.handle)

    def sendto(self, data: bytes, peer: Address) -> None:
        to = _addr(peer)
        _call("send", self.handle, data, len(data), ctypes.byref(to))

    def recvfrom(self, size: int = 65535, timeout: Optional[float] = None) -> Tuple[bytes, Optional[Address]]:
        """The next payload and its peer. timeout None waits, 0 does not; a TurnError of code TIMEOUT or AGAIN says that none came."""
        room, peer = (ctypes.c_char * size)(), _Addr()
        while True:
            if timeout is None:
                poll = select.poll()
                poll.register(self, select.POLLIN)
                poll.poll()  # which Ctrl-C ends, as a foreign call would not
            try:
                n = _call("recv", self.handle, room, size, ctypes.byref(peer), _ms(timeout or 0))
            except TurnError as e:
                if timeout is None and e.code == AGAIN:
                    continue  # another thread was faster
                raise
            return ctypes.string_at(room, n), _address(peer)

    def bind_channel(self, peer: Address, timeout: float = 0) -> None:
        to = _addr(peer)
        _call("bind_channel", self.handle, ctypes.byref(to), _ms(timeout))

    def unbind_channel(self, peer: Address) -> None:
        """Ends its refreshes: it serves until it expires."""
        to = _addr(peer)
        _call("unbind_channel", self.handle, ctypes.byref(to))

    def remove_permission(self, address: str) -> None:
        """Ends its refreshes: the server drops it within five minutes."""
        of = _addr((address, 0))
        _call("remove_permission", self.handle, ctypes.byref(of))

    def close(self, linger: float = 2) -> Closed:
        """Releases the allocation, and waits for the server's verdict at most linger seconds. A second call answers the same."""
        with self._closing:
            if self.closed is None:
                v = _Closed(size=ctypes.sizeof(_Closed))
                _call("close", self.handle, _ms(linger), ctypes.byref(v))
                until = v.until_ms / 1000 if v.until_ms else None
                self.closed = Closed(v.outcome_text.decode(), v.reason.decode(), v.reuse_after_ms / 1000, until)
            return self.closed

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_) -> None:
        self.close()
