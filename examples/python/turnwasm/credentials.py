"""A long-term credential, prepared as RFC 8265 wants it. The machine takes it prepared: it has no tables for Unicode."""

from __future__ import annotations

import unicodedata

MAX_USERNAME = 509
"""The username "MUST contain a UTF-8-encoded [RFC3629] sequence of fewer than 509 bytes and MUST have been processed using
the OpaqueString profile [RFC8265]." https://www.rfc-editor.org/rfc/rfc8489#section-14.3"""

_OLD_JAMO = (range(0x1100, 0x1200), range(0xA960, 0xA97D), range(0xD7B0, 0xD7FC))


def prepare(username: str, password: str) -> tuple[bytes, bytes]:
    """Both prepared; both empty for a server without authentication."""
    if not isinstance(username, str) or not isinstance(password, str):
        raise TypeError("username and password are strings")
    if bool(username) != bool(password):
        raise ValueError("a username without a password" if username else "a password without a username")
    name = _opaque(username, "username")
    if len(name) >= MAX_USERNAME:
        raise ValueError(f"username: longer than {MAX_USERNAME - 1} bytes")
    return name, _opaque(password, "password")


def _opaque(text: str, what: str) -> bytes:
    """The OpaqueString profile: other spaces become plain ones, then NFC.

    https://www.rfc-editor.org/rfc/rfc8265#section-4.2.1
    """
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    prepared = unicodedata.normalize("NFC", spaced)
    if any(_disallowed(c) for c in prepared):
        raise ValueError(f"{what}: it holds a character that a credential must not hold (RFC 8265)")
    return prepared.encode()


def _disallowed(c: str) -> bool:
    """What the FreeformClass of RFC 8264 section 4.3 does not contain, as far as one code point says it."""
    return unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") or any(ord(c) in r for r in _OLD_JAMO)
