"""Pure decisions about answering pages: what one must be, whether it takes calls now, and from whom."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from restante.protocol import limits
from restante.protocol.encoding import b64, unb64
from restante.protocol.wire_pages import OwnPage, Page, PutPage, Schedule
from restante.server.errors import Refusal
from restante.server.keys.rules import check_sealed

CALL_MS = limits.CALL_FOR // timedelta(milliseconds=1)
CALL_PREFIX = "call."
"""Before a caller's capability, so that it is told from a session's token."""
_WEEK_DAYS = 8
"""Looked ahead for the next opening: a week, and the day on which it began."""
Row = Any
"""A row of queries.py."""


def check(page: PutPage) -> None:
    """Raises Refusal invalid or too-large for a page that contradicts itself."""
    if page.bearer_sha256 is not None:
        _bytes("bearer_sha256", page.bearer_sha256, size=32)
    needs_link = page.access == "link" or page.profile is not None or page.greeting is not None
    if needs_link and page.bearer_sha256 is None:
        raise Refusal("invalid", detail="bearer_sha256: access by link, profile and greeting need it")
    if page.profile is not None:
        profile = _bytes("profile", page.profile)
        if len(profile) > limits.PROFILE_BYTES:
            raise Refusal("too-large", detail="profile", limit=limits.PROFILE_BYTES)
        check_sealed(profile)
    if page.schedule is not None:
        _check_schedule(page.schedule)


def row_of(page: PutPage) -> dict[str, Any]:
    """What is stored of a page that was checked."""
    return {
        "is_on": int(page.on),
        "access": page.access,
        "bearer_sha256": None if page.bearer_sha256 is None else unb64(page.bearer_sha256),
        "profile": None if page.profile is None else unb64(page.profile),
        "greeting_link": page.greeting,
        "hours": None if page.schedule is None else msgspec.json.encode(page.schedule).decode(),
    }


def own(row: Row | None) -> OwnPage:
    """Shapes a page for its owner; one that was never made is off."""
    if row is None:
        return OwnPage(on=False)
    return OwnPage(
        on=bool(row.is_on),
        access=row.access,
        bearer_sha256=None if row.bearer_sha256 is None else b64(row.bearer_sha256),
        profile=None if row.profile is None else b64(row.profile),
        greeting=row.greeting_link,
        schedule=_schedule(row),
        updated_at=row.updated_at,
    )


def shown(row: Row, bearer: str | None, *, now_ms: int) -> Page:
    """Shapes a page for callers; what is sealed only for those who have its link."""
    opens_at = next_opening_ms(_schedule(row), now_ms=now_ms)
    page = Page(
        row.name,
        row.access,
        takes_calls=opens_at == now_ms,
        opens_at=None if opens_at == now_ms else opens_at,
    )
    if not has_link(row, bearer):
        return page
    profile = None if row.profile is None else b64(row.profile)
    return msgspec.structs.replace(page, profile=profile, greeting=row.greeting_link)


def check_call(row: Row, bearer: str | None, *, now_ms: int) -> None:
    """Raises Refusal page-closed, page-needs-link or page-needs-account unless a stranger may call now."""
    if next_opening_ms(_schedule(row), now_ms=now_ms) != now_ms:
        raise Refusal("page-closed")
    if row.access == "signed-in":
        raise Refusal("page-needs-account")
    if row.access == "link" and not has_link(row, bearer):
        raise Refusal("page-needs-link")


def has_link(row: Row, bearer: str | None) -> bool:
    """Tells whether a caller shows the bearer of the page's present link."""
    if bearer is None or row.bearer_sha256 is None:
        return False
    try:
        digest = hashlib.sha256(unb64(bearer, size=32)).digest()
    except ValueError:
        return False
    return hmac.compare_digest(digest, row.bearer_sha256)


def next_opening_ms(schedule: Schedule | None, *, now_ms: int) -> int | None:
    """When calls are taken next: now when they are; None when never."""
    if schedule is None:
        return now_ms
    zone = ZoneInfo(schedule.timezone)
    here = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    found = []
    for ahead in range(_WEEK_DAYS):
        day = (here + timedelta(days=ahead)).date()
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for span in schedule.hours:
            if span.day != day.weekday():
                continue
            # Wall clock: on days when the clocks change, nine is nine.
            start = _ms(midnight + timedelta(minutes=span.start))
            end = _ms(midnight + timedelta(minutes=span.end))
            if start <= now_ms < end:
                return now_ms
            if start > now_ms:
                found.append(start)
    return min(found, default=None)


def token_digest(token: str) -> bytes:
    """Hashes a caller's capability as it is stored. Raises Refusal call-over for what cannot be one."""
    try:
        return hashlib.sha256(unb64(token.removeprefix(CALL_PREFIX), size=32)).digest()
    except ValueError as error:
        raise Refusal("call-over") from error


def _schedule(row: Row) -> Schedule | None:
    return None if row.hours is None else msgspec.json.decode(row.hours, type=Schedule)


def _check_schedule(schedule: Schedule) -> None:
    try:
        ZoneInfo(schedule.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise Refusal("invalid", detail="timezone: not known here") from error
    if any(span.start >= span.end for span in schedule.hours):
        raise Refusal("invalid", detail="hours: a span ends before it begins")


def _ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)


def _bytes(name: str, text: str, *, size: int | None = None) -> bytes:
    try:
        return unb64(text, size=size) if size is not None else unb64(text)
    except ValueError as error:
        raise Refusal("invalid", detail=f"{name}: {error}") from error
