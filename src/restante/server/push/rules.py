"""When somebody is told, and what is done with an answer."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from restante.protocol.encoding import b64

Cause = Literal["message", "caller", "request", "opened"]
"""What happened: somebody with an account wrote, somebody left a message on the answering page, a stranger asks, or
what the account waited for is open."""
WINDOW_MS: dict[Cause, int] = {"message": 0, "caller": 600_000, "request": 600_000, "opened": 0}
"""How far apart two notices of a cause are at least; what comes in between is told at the end of the window."""

SUBSCRIPTIONS = 20
"""Browsers of one account that are told; of more, the one renewed longest ago goes."""
MAIL_GRACE_MS = 120_000
"""Whoever has the app open fetches within this time, and needs no mail."""
CODE_FOR = timedelta(minutes=30)
GIVE_UP_AFTER = 30
"""Tries, the later ones an hour apart: a day and a little more."""
_LONGEST_WAIT_MS = 3_600_000


def wait_ms(attempts: int) -> int:
    """How long a delivery that failed waits: 2 s, then twice as long each time, at most an hour."""
    return min(_LONGEST_WAIT_MS, 2000 << min(attempts, 12))


def quiet_until(now_ms: int, *, begins: int, ends: int, zone: str) -> int | None:
    """The end of the quiet hours that it is in, in Unix milliseconds; None outside of them."""
    here = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    minute = here.hour * 60 + here.minute
    inside = begins <= minute < ends if begins <= ends else minute >= begins or minute < ends
    if not inside:
        return None
    day = here.date() + timedelta(days=1 if minute >= ends else 0)
    end = datetime(day.year, day.month, day.day, ends // 60, ends % 60, tzinfo=ZoneInfo(zone))
    return max(now_ms + 1000, int(end.timestamp() * 1000))


def is_zone(name: str) -> bool:
    """Tells whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def code_of(key: bytes, account_id: int, address: str, expires_at: int) -> str:
    """The eight digits that verify an address: made anew when needed, stored nowhere."""
    digest = _mac(key, f"code\0{account_id}\0{address}\0{expires_at}")
    return f"{int.from_bytes(digest[:8], 'big') % 10**8:08}"


def unsubscribe_token(key: bytes, account_id: int, address: str) -> str:
    """Ends mail to one address of one account, and does nothing else."""
    digest = _mac(key, f"unsubscribe\0{account_id}\0{address}")
    return f"{account_id}.{b64(digest[:16])}"


def webhook_signature(secret: bytes, *, delivery_id: str, at_s: int, body: bytes) -> str:
    """Signs id, time and body, so that none of them can be replaced and an old delivery is known as one."""
    signed = f"{delivery_id}.{at_s}.".encode() + body
    return f"v1,{_base64(hmac.new(secret, signed, hashlib.sha256).digest())}"


def _base64(data: bytes) -> str:
    text = b64(data).replace("-", "+").replace("_", "/")
    return text + "=" * (-len(text) % 4)


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
