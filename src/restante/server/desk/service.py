"""What an operator sees and does in a browser: health, use, people by count and time, reports. No way leads to content or contacts.

[Note: One disclosed message] A report discloses one message, with its key, by the one who received it. The desk hands out that
disclosure and the bytes of that video; the operator's browser opens them. Each look stands in the desk's record before it is given.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from restante.protocol import limits
from restante.protocol.encoding import b64
from restante.protocol.wire_desk import (
    DeskAct,
    DeskActs,
    DeskDay,
    DeskDecision,
    DeskDisclosure,
    DeskHealth,
    DeskPeople,
    DeskPerson,
    DeskReport,
    DeskReports,
    DeskUsage,
)
from restante.protocol.wire_office import DeskTasks, DeskWork
from restante.server.abuse import desk
from restante.server.abuse.desk import NoSuchReport, NothingToBan
from restante.server.asgi import RawHeaders
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.desk import queries, record
from restante.server.desk.examining import DAY_MS, Facts, examine
from restante.server.errors import Refusal
from restante.server.metrics import service as counted
from restante.server.operators import service as operators
from restante.server.outbox import queue
from restante.server.passkeys.origins import may_have_passkeys
from restante.server.sessions.actor import Actor
from restante.server.sessions.service import Sessions
from restante.server.transparency.witnesses import unsigned

T = TypeVar("T")
Row = Any
DAYS = 30


@dataclass(frozen=True, slots=True)
class Noted:
    """What the desk's record says of a change."""

    act: str
    subject: str
    words: str = ""


class Desk:
    """Serves operators. Everybody else is told that there is nothing."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        sessions: Sessions,
        server_name: str,
        record_key: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._sessions = sessions
        self._server_name = server_name
        self._record_key = record_key

    async def health(self, actor: Actor, headers: RawHeaders) -> DeskHealth:
        """Looks at everything that the doctor looks at."""
        named = self._settings.witnesses
        facts = await self.read(
            actor,
            headers,
            lambda connection: facts_of(connection, now_ms=self._clock.now_ms(), witnesses=named),
        )
        items = await asyncio.to_thread(
            lambda: list(examine(self._settings, facts, server_name=self._server_name))
        )
        return DeskHealth(at=facts.now_ms, items=items)

    async def usage(self, actor: Actor, headers: RawHeaders) -> DeskUsage:
        """How much there is, and what the last thirty days brought."""
        now_ms, data = self._clock.now_ms(), self._settings.data
        return await self.read(actor, headers, lambda connection: usage_of(connection, data, now_ms=now_ms))

    async def people(self, actor: Actor, headers: RawHeaders, *, after: str, like: str) -> DeskPeople:
        """Accounts by name, or those whose name has ``like`` in it: since when, last seen, how much they sent."""
        return await self.read(
            actor, headers, lambda connection: people_of(connection, after=after, like=like)
        )

    async def reports(self, actor: Actor, headers: RawHeaders, *, everything: bool) -> DeskReports:
        """Reports that wait, or all of them, the oldest first."""
        rows = await self.read(
            actor, headers, lambda connection: desk.listed(connection, everything=everything)
        )
        return DeskReports([_report(row) for row in rows])

    async def decide(
        self, actor: Actor, headers: RawHeaders, report_id: str, decision: DeskDecision
    ) -> DeskReport:
        """Decides on a report. Raises Refusal verification-needed, nothing-to-ban."""

        def work(connection: Connection, now_ms: int) -> tuple[DeskReport, Noted]:
            report = _find(connection, report_id)
            try:
                _ACTS[decision.act](connection, report, decision.reason, now_ms=now_ms)
            except NothingToBan:
                raise Refusal("nothing-to-ban") from None
            noted = Noted(decision.act, report.id, decision.reason)
            return _report(desk.find(connection, report.id)), noted

        return await self.change(actor, headers, work)

    async def disclosed(self, actor: Actor, headers: RawHeaders, report_id: str) -> DeskDisclosure:
        """Hands out what a report discloses, and notes who looked. Raises Refusal verification-needed."""

        def work(connection: Connection, _: int) -> tuple[DeskDisclosure, Noted]:
            report = _find(connection, report_id)
            size = None if report.upload_id is None else queries.video_bytes(connection, report.upload_id)
            told = DeskDisclosure(
                container=b64(report.container), details=b64(report.details), video_bytes=size
            )
            return told, Noted("look", report.id)

        return await self.change(actor, headers, work)

    async def video(self, actor: Actor, headers: RawHeaders, report_id: str) -> tuple[str, int]:
        """Blob and size of a reported message's video. Raises Refusal not-found."""

        def work(connection: Connection) -> tuple[str, int]:
            self._sessions.check_verified(connection, actor)
            report = _find(connection, report_id)
            size = None if report.upload_id is None else queries.video_bytes(connection, report.upload_id)
            if size is None:
                raise Refusal("not-found")
            return report.upload_id, size

        return await self.read(actor, headers, work)

    async def probe(self, actor: Actor, headers: RawHeaders, upload_id: str) -> tuple[str, int]:
        """Blob and size of an operator's own finished upload, by which a device tries ranges. Raises Refusal not-found."""

        def work(connection: Connection) -> tuple[str, int]:
            size = queries.own_bytes(connection, actor.account_id, upload_id)
            if size is None:
                raise Refusal("not-found")
            return upload_id, size

        return await self.read(actor, headers, work)

    async def acts(self, actor: Actor, headers: RawHeaders, *, before: int) -> DeskActs:
        """What operators did before a line, the newest first, and whether the whole record is whole."""
        key = self._record_key
        return await self.read(actor, headers, lambda connection: acts_of(connection, key, before=before))

    async def work(self, actor: Actor, headers: RawHeaders) -> DeskWork:
        """What is to be done beside the requests, by kind; never for or about whom."""
        return await self.read(actor, headers, work_of)

    async def retry(self, actor: Actor, headers: RawHeaders, kind: str) -> DeskWork:
        """Has what failed of a kind tried again now."""

        def work(connection: Connection, now_ms: int) -> tuple[DeskWork, Noted]:
            count = queue.retry(connection, kind, now_ms=now_ms)
            return work_of(connection), Noted("retry", kind, str(count))

        return await self.change(actor, headers, work)

    async def change(
        self, actor: Actor, headers: RawHeaders, work: Callable[[Connection, int], tuple[T, "Noted"]]
    ) -> T:
        """Does something for an operator who showed a moment ago who they are, and notes it, in one transaction.

        Raises Refusal not-found, passkey-needed, verification-needed.
        """
        now_ms = self._clock.now_ms()

        def admitted(connection: Connection) -> T:
            self._admit(connection, actor, headers)
            self._sessions.check_verified(connection, actor)
            told, noted = work(connection, now_ms)
            record.note(
                connection,
                actor.name,
                noted.act,
                noted.subject,
                noted.words,
                key=self._record_key,
                now_ms=now_ms,
            )
            return told

        return await self._database.write(admitted)

    async def read(self, actor: Actor, headers: RawHeaders, work: Callable[[Connection], T]) -> T:
        """Looks something up for an operator. Raises Refusal not-found, passkey-needed."""

        def admitted(connection: Connection) -> T:
            self._admit(connection, actor, headers)
            return work(connection)

        return await self._database.read(admitted)

    def _admit(self, connection: Connection, actor: Actor, headers: RawHeaders) -> None:
        """Raises Refusal not-found for who is no operator, passkey-needed for one without, where there may be passkeys."""
        operators.require(connection, actor)
        possible = may_have_passkeys(headers, self._settings.origins)
        if possible and not queries.passkey_count(connection, actor.account_id):
            raise Refusal("passkey-needed")


def facts_of(connection: Connection, *, now_ms: int, witnesses: tuple[str, ...]) -> Facts:
    """What the doctor wants to know of the database, once its schema is this release's."""
    return Facts(
        now_ms=now_ms,
        newest_ms=queries.newest(connection),
        upkeep=counted.upkeep(connection),
        waiting=counted.waiting(connection),
        is_current=True,
        operators=queries.operator_count(connection),
        unsigned=unsigned(connection, witnesses),
    )


def usage_of(connection: Connection, data: Path, *, now_ms: int) -> DeskUsage:
    """How much there is, and what the last thirty days brought."""
    since = now_ms - DAYS * DAY_MS
    counts = counted.counts(connection)
    rows = queries.days(connection, since=since, day_ms=DAY_MS)
    by_number = {int(row.number): row for row in rows}
    disk = os.statvfs(data)
    return DeskUsage(
        accounts=counts["accounts"],
        messages=counts["messages"],
        blob_bytes=counts["blob_bytes"],
        free_bytes=disk.f_bavail * disk.f_frsize,
        uploads_active=counts["uploads_active"],
        sessions=counts["sessions"],
        days=[_day(by_number.get(number), since + number * DAY_MS) for number in range(DAYS)],
    )


def people_of(connection: Connection, *, after: str, like: str) -> DeskPeople:
    """A page of the accounts by name."""
    most = limits.PAGE_ITEMS
    rows = queries.people(connection, after=after, like=like, most=most + 1)
    return DeskPeople(items=[_person(row) for row in rows[:most]], more=len(rows) > most)


def acts_of(connection: Connection, key: bytes, *, before: int) -> DeskActs:
    """A page of the record, the newest first, and whether all of it is whole."""
    rows = queries.acts(connection)
    earlier = [row for row in reversed(rows) if row.seq < before]
    return DeskActs(
        items=[_act(row) for row in earlier[: limits.PAGE_ITEMS]],
        whole=record.is_whole(rows, key=key),
        more=len(earlier) > limits.PAGE_ITEMS,
    )


_ACTS: dict[str, Callable[..., None]] = {
    "quarantine": desk.quarantine,
    "ban": desk.ban,
    "dismiss": desk.dismiss,
}


def _find(connection: Connection, report_id: str) -> Row:
    try:
        report = desk.find(connection, report_id)
    except NoSuchReport:
        raise Refusal("not-found") from None
    if report.id != report_id:
        raise Refusal("not-found")
    return report


def work_of(connection: Connection) -> DeskWork:
    """What is to be done beside the requests, by kind."""
    return DeskWork(
        [
            DeskTasks(
                kind=row.kind,
                count=row.tasks,
                oldest_due_at=row.oldest_due_at,
                failing=row.failing,
                attempts=row.attempts,
            )
            for row in queue.standing(connection)
        ]
    )


def _day(row: Row | None, at_ms: int) -> DeskDay:
    if row is None:
        return DeskDay(at=at_ms, messages=0, bytes=0, people=0)
    return DeskDay(at=at_ms, messages=row.messages, bytes=int(row.bytes), people=row.people)


def _person(row: Row) -> DeskPerson:
    return DeskPerson(
        name=row.name,
        created_at=row.created_at,
        seen_at=row.seen_at,
        messages=row.messages,
        bytes=int(row.bytes),
        is_banned=bool(row.is_banned),
        is_operator=bool(row.is_operator),
    )


def _report(row: Row) -> DeskReport:
    return DeskReport(
        id=row.id,
        state=row.state,
        reason=row.reason,
        note=row.note,
        reporter=row.reporter or None,
        sender=row.sender or None,
        message=row.message_id,
        received_at=row.received_at,
        created_at=row.created_at,
        decision=row.decision,
        decided_at=row.decided_at,
    )


def _act(row: Row) -> DeskAct:
    return DeskAct(
        seq=row.seq, at=row.created_at, operator=row.operator, act=row.act, subject=row.subject, note=row.note
    )
