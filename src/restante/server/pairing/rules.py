"""What a pairing must be, and what a machine that polls is told (docs/protocol/lifecycle.md, RFC 8628)."""

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from restante.protocol.encoding import unb64
from restante.server.errors import Refusal
from restante.server.keys import rules as key_rules

INTERVAL_S = 5
SLOWER_BY_S = 5
LIVES_MS = 10 * 60 * 1000
COLLECT_MS = 2 * 60 * 1000
"""How long an approval waits for its machine; a machine that polls comes within seconds."""
TOO_SOON_MS = 500
"""What the network may take off an interval that was kept."""
CODE_BYTES = 32
_LOOKUP_BYTES = 10
_LOOKUP = re.compile(r"[a-z2-7]{16}\Z")


class State(StrEnum):
    """How far a pairing came."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Asking:
    """What is stored of a pairing that a machine polls for."""

    state: str
    interval_s: int
    polled_at: int | None
    expires_at: int


def new_lookup(*, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Makes the half of the address that the server knows; 80 bits, so that nobody finds one by trying."""
    return base64.b32encode(random(_LOOKUP_BYTES)).decode("ascii").lower()


def is_lookup(text: str) -> bool:
    """Tells whether the text may be a lookup."""
    return bool(_LOOKUP.match(text))


def keyring(text: str) -> bytes:
    """Reads the keyring of an approval. Raises Refusal too-large or invalid."""
    return key_rules.decode_keyring(text)


def device_code(text: str) -> bytes:
    """Reads the secret of the machine that asks. Raises Refusal invalid."""
    try:
        return unb64(text, size=CODE_BYTES)
    except ValueError as error:
        raise Refusal("invalid", detail=f"device_code: {error}") from error


def is_too_soon(asking: Asking, *, now_ms: int) -> bool:
    """Tells whether the machine polls before its interval is over."""
    if asking.polled_at is None or asking.polled_at > now_ms:
        return False
    return now_ms - asking.polled_at < asking.interval_s * 1000 - TOO_SOON_MS


def next_interval_s(asking: Asking, *, now_ms: int) -> int:
    """The interval from now on: a machine that was too quick has to wait for longer (RFC 8628 section 3.5)."""
    return asking.interval_s + (SLOWER_BY_S if is_too_soon(asking, now_ms=now_ms) else 0)
