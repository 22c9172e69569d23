"""Ids: a prefix and the lower-case base32 of 16 random bytes; and the 32-byte secrets behind tokens."""

import base64
import re
import secrets
from collections.abc import Callable
from enum import StrEnum

_BODY = r"[a-z2-7]{25}[aeimquy4]"


class Prefix(StrEnum):
    """What an id names; messages, encryption keys and unlock methods get theirs from a client, the rest from the server."""

    MESSAGE = "msg"
    ENCRYPTION = "enc"
    METHOD = "mth"
    UPLOAD = "upl"
    SESSION = "ses"
    DEVICE = "dev"
    LINK = "lnk"
    CEREMONY = "cer"
    REPORT = "rep"
    GROUP = "grp"
    PUSH = "psh"
    INVITE = "inv"
    GRANT = "grt"


_PATTERNS = {prefix: re.compile(rf"{prefix}_{_BODY}\Z") for prefix in Prefix}


def new_id(prefix: Prefix, *, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Makes an id such as ``msg_`` and 26 characters."""
    return f"{prefix}_{base64.b32encode(random(16)).decode('ascii').rstrip('=').lower()}"


def is_id(text: str, prefix: Prefix) -> bool:
    """Tells whether the text is the one spelling of an id of this kind."""
    return bool(_PATTERNS[prefix].match(text))


def new_secret(*, random: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Makes the 32 bytes behind a bearer token or a link."""
    return random(32)
