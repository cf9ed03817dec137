"""What goes wrong, by one family of exceptions. A caller's mistake is a ValueError or a TypeError instead."""

from __future__ import annotations

from . import abi_gen as abi


class TurnError(Exception):
    """Everything that fails and is not the caller's mistake."""

    kind = "turn"
    code = 0


class ModuleError(TurnError):
    """The module cannot be loaded: it is none, or of another make."""

    kind = "module"


class UnsupportedError(TurnError):
    """What this host does not do."""

    kind = "unsupported"


class RefusedError(TurnError):
    """The machine does not do it; code, one of abi_gen.CODE_TEXTS, says why."""

    kind = "refused"

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text or abi.CODE_TEXTS.get(code) or f"turn: error code {code}, which this host does not know")
        self.code = code


class ClosedError(TurnError):
    """The transport is closed."""

    kind = "closed"
    code = abi.CODE_CLOSED

    def __init__(self, why: str = "") -> None:
        super().__init__("turn: the transport is closed" + (f": {why}" if why else ""))


class TrappedError(TurnError):
    """The module's instance has died, and all that lived in it."""

    kind = "trapped"


class RequestError(TurnError):
    """The server, its silence or the path has refused a request.

    method is the request's, code the STUN error code (0: there was no answer that could be used), reason the server's
    phrase or a sentence that says what was tried, signed whether the answer carried a valid MESSAGE-INTEGRITY.
    """

    kind = "request"

    def __init__(self, method: str, code: int, reason: str, signed: bool = False) -> None:
        phrase = reason or abi.PHRASES.get(code, "")
        hint = abi.HINTS.get(code, "") if method in ("Allocate", "Refresh") else ""
        text = f"{code} {phrase}".strip() if code else phrase
        super().__init__(f"{method}: {text}" + (f": {hint}" if hint else ""))
        self.method = method
        self.code = code
        self.reason = phrase
        self.signed = signed


class LostError(RequestError):
    """The allocation is gone, and all that was under it."""

    kind = "lost"


def code_error(code: int, text: str = "") -> TurnError:
    """The exception of a code that a call has answered."""
    return ClosedError() if code == abi.CODE_CLOSED else RefusedError(code, text)
