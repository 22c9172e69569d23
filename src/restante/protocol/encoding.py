"""Binary in text: base64url without padding (RFC 4648 section 5), strict in what it accepts."""

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def b64(data: bytes) -> str:
    """Writes bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str, *, size: int | None = None) -> bytes:
    """Reads base64url without padding; ``size`` is the exact number of bytes expected.

    Raises ValueError on padding, foreign characters, non-zero trailing bits or another size, so that
    every value has exactly one spelling.
    """
    if not _ALPHABET.match(text) or len(text) % 4 == 1:
        raise ValueError("not base64url without padding")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(data) != text:
        raise ValueError("not canonical base64url")
    if size is not None and len(data) != size:
        raise ValueError(f"{len(data)} bytes where {size} are expected")
    return data
