"""Where and on what sign-up and sending are open; who waits for it.

[Note: At home] The country of an account counts, wherever its person travels: what it declared, else what was seen when it
signed up or first sent. It is noted only while the file tells countries apart. Nothing but sign-up and sending asks.
"""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from restante.protocol import wire_availability as wire
from restante.server.admission.service import is_invited, make_invite, show_invite
from restante.server.availability import queries, switches
from restante.server.availability.in_force import ChartFile
from restante.server.availability.rules import OPEN, Chart, Decision, Door, Who, decide, home
from restante.server.availability.sighting import Sighting, Source
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.limits.service import Limiter
from restante.server.outbox import queue
from restante.server.push import telling
from restante.server.sessions.actor import Actor

BATCH = 500
_SAID = {
    "beta": "{what} is in a beta: an invite from the operator lets you in.",
    "planned": "{what} opens on {day}.",
    "later": "{what} comes later; there is no date yet.",
    "unknown": "{what} is not planned.",
}
_WHAT = {"country": "This country", "platform": "This platform"}


class Availability:
    """Answers for one request or account; ``file`` has the operator's chart."""

    def __init__(
        self, database: Database, clock: Clock, settings: Settings, *, limiter: Limiter, file: ChartFile
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._limiter = limiter
        self._file = file

    @property
    def file(self) -> ChartFile:
        """Where the chart stands."""
        return self._file

    async def tell(
        self, actor: Actor | None, seen: Sighting, declared: str | None = None
    ) -> wire.Availability:
        """Tells whether it is open to who asks, and if not, why and until when."""
        return await self._database.read(lambda connection: self._told(connection, actor, seen, declared))

    async def set_country(self, actor: Actor, country: str, seen: Sighting) -> wire.Availability:
        """Notes where an account is at home."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> wire.Availability:
            if self._by_country():
                queries.set_country(connection, actor.account_id, country, "declared", now_ms=now_ms)
            return self._told(connection, actor, seen, None)

        return await self._database.write(work)

    async def wait(
        self, actor: Actor | None, form: wire.Wait, seen: Sighting, *, prefix: str
    ) -> wire.Availability:
        """Has somebody told when it opens; what is open already is told at once, and nothing is noted.

        Raises Refusal invalid, mail-unavailable or rate-limited.
        """
        mail = None if actor is not None else form.mail
        if actor is None and not self._settings.smtp_url:
            raise Refusal("mail-unavailable")
        if actor is None and mail is None:
            raise Refusal("invalid", detail="mail: an address is needed without an account")

        def work(connection: Connection) -> wire.Availability:
            told = self._told(connection, actor, seen, form.country)
            if told.allowed:
                return told
            self._limiter.take(connection, "waiting", prefix, self._settings.rate_sign_up)
            row = {
                "account_id": None if actor is None else actor.account_id,
                "mail": mail,
                "language": form.language,
                "country": told.country,
                "platform": seen.platform,
                "created_at": self._clock.now_ms(),
                "told_at": None,
            }
            queries.wait(connection, row)
            return self._told(connection, actor, seen, form.country)

        return await self._database.write(work)

    async def stop_waiting(self, actor: Actor) -> None:
        """Has the account told no more."""
        await self._database.write(lambda connection: queries.forget(connection, actor.account_id))

    def check_sign_up(self, name: str, seen: Sighting, declared: str | None, *, is_invited: bool) -> None:
        """Raises Refusal not-available-yet."""
        country, _ = home(declared, None, seen)
        self._check(country, seen, Who(name, is_invited=is_invited))

    def note_sign_up(
        self, connection: Connection, account_id: int, seen: Sighting, declared: str | None
    ) -> None:
        """Notes the country of a new account. See [Note: At home]."""
        self._note(connection, account_id, *home(declared, None, seen))

    def check_send(self, connection: Connection, actor: Actor, seen: Sighting) -> None:
        """Lets an account send, and notes its country when there is none. Raises Refusal not-available-yet."""
        if self._file.chart() is None:
            return
        kept = queries.country(connection, actor.account_id)
        country, source = home(None, None if kept is None else (kept.country, kept.source), seen)
        self._check(country, seen, _who(connection, actor))
        if kept is None:
            self._note(connection, actor.account_id, country, source)

    async def follow(self) -> None:
        """Takes over what was switched on other nodes. See [Note: A copy on each node]."""
        text = await self._database.read(switches.kept)
        if text is not None:
            await asyncio.to_thread(self._file.copy, text)

    async def tell_opened(self) -> int:
        """Has those told for whom it is open by now; returns how many. May be repeated."""
        count, after = 0, 0
        while rows := await self._database.read(partial(queries.listed, after=after, most=BATCH)):
            after = rows[-1].id
            now_open = [row for row in rows if self._is_open_to(row)]
            if now_open:
                await self._database.write(partial(self._tell, now_open))
            count += len(now_open)
        return count

    def _tell(self, rows: list[queries.AnyRow], connection: Connection) -> None:
        for row in rows:
            _tell_one(connection, row, now_ms=self._clock.now_ms())

    def _is_open_to(self, row: queries.AnyRow) -> bool:
        # An invite is shown by who has one, and what it opens is seen at once: nobody is told of that.
        who = Who(row.name or "")
        return self._decide(row.country, row.platform, who).allowed

    def _told(
        self, connection: Connection, actor: Actor | None, seen: Sighting, declared: str | None
    ) -> wire.Availability:
        kept = None if actor is None else queries.country(connection, actor.account_id)
        country, source = home(declared, None if kept is None else (kept.country, kept.source), seen)
        who = Who() if actor is None else _who(connection, actor)
        decision = self._decide(country, seen.platform, who)
        by_country = self._by_country()
        return wire.Availability(
            allowed=decision.allowed,
            platform=seen.platform,
            phase=decision.phase,
            by_country=by_country,
            country=country if by_country else None,
            country_from=source if by_country else None,
            blocked_by=decision.blocked_by,
            opens_at=decision.opens_at,
            text=dict(decision.text),
            waiting=actor is not None and queries.waits(connection, actor.account_id),
            mail_possible=bool(self._settings.smtp_url),
        )

    def _check(self, country: str | None, seen: Sighting, who: Who) -> None:
        decision = self._decide(country, seen.platform, who)
        if not decision.allowed:
            raise Refusal("not-available-yet", detail=said(decision))

    def _decide(self, country: str | None, platform: str, who: Who) -> Decision:
        return decide(self._file.chart(), country, platform, who, now_ms=self._clock.now_ms())

    def _by_country(self) -> bool:
        chart = self._file.chart()
        return chart is not None and chart.by_country

    def _note(
        self, connection: Connection, account_id: int, country: str | None, source: Source | None
    ) -> None:
        if self._by_country() and country is not None and source is not None:
            queries.set_country(connection, account_id, country, source, now_ms=self._clock.now_ms())


def opens_by_invite(chart: Chart | None, row: queries.AnyRow, *, now_ms: int) -> Decision:
    """What somebody who waits would meet with an invite."""
    return decide(chart, row.country, row.platform, Who(row.name or "", is_invited=True), now_ms=now_ms)


def let_in(connection: Connection, chart: Chart | None, waiting_id: int, *, note: str, now_ms: int) -> str:
    """Lets somebody who waits into the beta: an account at once, anybody else by a code in a mail; returns the invite's id.

    Raises Refusal not-found, not-available-yet.
    """
    row = queries.one(connection, waiting_id)
    if row is None:
        raise Refusal("not-found")
    decision = opens_by_invite(chart, row, now_ms=now_ms)
    if not decision.allowed:
        raise Refusal("not-available-yet", detail=said(decision))
    invite_id, code = make_invite(connection, note=note, most_uses=1, expires_at=None, now_ms=now_ms)
    if row.account_id is not None:
        show_invite(connection, row.account_id, code, now_ms=now_ms)
        _tell_one(connection, row, now_ms=now_ms)
    else:
        queue.enqueue(connection, "mail-invite", f"{row.id}:{code}", due_ms=now_ms)
        queries.note_told(connection, row.id, now_ms=now_ms)
    return invite_id


def _tell_one(connection: Connection, row: queries.AnyRow, *, now_ms: int) -> None:
    if row.account_id is not None:
        telling.tell(connection, [row.account_id], "opened", now_ms=now_ms)
    queue.enqueue(connection, "mail-opened", str(row.id), due_ms=now_ms)
    queries.note_told(connection, row.id, now_ms=now_ms)


def said(decision: Decision) -> str:
    """What is shut, why and until when, in a sentence, with the operator's own words behind it."""
    if decision.blocked_by is None:
        return ""
    day = (
        ""
        if decision.opens_at is None
        else f"{datetime.fromtimestamp(decision.opens_at / 1000, UTC):%Y-%m-%d}"
    )
    words = _SAID[decision.phase].format(what=_WHAT[decision.blocked_by], day=day)
    return f"{words} {decision.text.get('en', '')}".strip()


def decided(chart: Chart | None, country: str | None, platform: str, *, now_ms: int) -> dict[str, Any]:
    """One case, for somebody whom no beta lets in, as the operator's commands tell it."""
    decision = decide(chart, country, platform, Who(), now_ms=now_ms)
    return {
        "allowed": decision.allowed,
        "phase": decision.phase,
        "blocked_by": decision.blocked_by,
        "opens_at": decision.opens_at,
        "why": said(decision),
    }


def listed(chart: Chart | None, *, now_ms: int) -> list[dict[str, Any]]:
    """Everything that a chart names, and what the rest falls to."""
    if chart is None:
        return [_line("country", "elsewhere", OPEN, now_ms), _line("platform", "other", OPEN, now_ms)]
    countries = {**chart.countries, "elsewhere": chart.elsewhere}
    exceptions = {f"{name} in {code}": door for (code, name), door in chart.exceptions.items()}
    platforms = {**chart.platforms, "other": chart.other, **exceptions}
    return [
        *(_line("country", name, door, now_ms) for name, door in countries.items()),
        *(_line("platform", name, door, now_ms) for name, door in platforms.items()),
    ]


def waiting_by_place(connection: Connection) -> list[dict[str, Any]]:
    """How many wait, by country and platform."""
    return [
        {"country": row.country, "platform": row.platform, "people": row.people}
        for row in queries.counts(connection)
    ]


def _line(what: str, name: str, door: Door, now_ms: int) -> dict[str, Any]:
    opens = None if door.from_ms is None else f"{datetime.fromtimestamp(door.from_ms / 1000, UTC):%Y-%m-%d}"
    return {
        "what": what,
        "name": name,
        "open": door.is_open(Who(), now_ms),
        "phase": door.phase,
        "from": opens,
        "text": dict(door.text),
    }


def _who(connection: Connection, actor: Actor) -> Who:
    return Who(actor.name, is_invited=is_invited(connection, actor.account_id))
