"""Pairing a command line: a machine asks, a signed-in device approves, the machine gets session and keyring.

The timing is RFC 8628's. The machine's recipient travels in the fragment of the address only: the server neither learns nor
replaces it. What is unknown, used or over gets one answer.
"""

import hashlib
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from restante.protocol import wire
from restante.protocol.encoding import b64
from restante.protocol.ids import new_secret
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal, RetryLater
from restante.server.failpoints import failpoint
from restante.server.keys.preconditions import Precondition
from restante.server.keys.service import store_next
from restante.server.limits.service import Limiter
from restante.server.pairing import queries, rules
from restante.server.pairing.queries import AnyRow
from restante.server.pairing.rules import Asking, State
from restante.server.sessions.actor import Actor
from restante.server.sessions.service import NewSession, Sessions

T = TypeVar("T")


class Pairings:
    """Introduces machines to accounts. A device code is kept as its SHA-256 only."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        sessions: Sessions,
        limiter: Limiter,
        server_name: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._sessions = sessions
        self._limiter = limiter
        self._server_name = server_name

    async def begin(self, form: wire.NewPairing, *, prefix: str) -> wire.Pairing:
        """Lets a machine ask for ten minutes. Raises Refusal rate-limited or invalid."""
        if not form.label.isprintable():
            raise Refusal("invalid", detail="label: not printable")
        code, lookup, now_ms = new_secret(), rules.new_lookup(), self._clock.now_ms()
        expires_at = now_ms + rules.LIVES_MS

        def work(connection: Connection) -> None:
            self._limiter.take(connection, "pairing", prefix, self._settings.rate_sign_in)
            queries.add(
                connection,
                lookup=lookup,
                device_code_sha256=hashlib.sha256(code).digest(),
                label=form.label,
                interval_s=rules.INTERVAL_S,
                now_ms=now_ms,
                expires_at=expires_at,
            )

        await self._database.write(work)
        failpoint("pairing-begun")
        return wire.Pairing(lookup, b64(code), rules.INTERVAL_S, expires_at)

    async def asked(self, actor: Actor, lookup: str, *, prefix: str) -> wire.PairingAsked:
        """Says which machine asks. Raises Refusal pairing-expired or rate-limited."""

        def work(connection: Connection) -> wire.PairingAsked | None:
            row = self._find(connection, lookup)
            if row is None or row.state != State.ASKED:
                return None
            return wire.PairingAsked(row.label, row.created_at, row.expires_at)

        return await self._looked_up(actor, prefix, work)

    async def approve(
        self,
        actor: Actor,
        lookup: str,
        form: wire.PairingApproval,
        precondition: Precondition,
        *,
        prefix: str,
    ) -> str:
        """Stores the keyring that the machine can open too, and lets it in; both or neither. Returns its version.

        The very same approval again changes nothing. Raises Refusal verification-needed, pairing-expired,
        rate-limited, stale-version, too-large or invalid.
        """
        keyring = rules.keyring(form.keyring)

        def work(connection: Connection) -> str | None:
            self._sessions.check_verified(connection, actor)
            row = self._find(connection, lookup)
            if row is None or not _may_approve(row, actor, form.device):
                return None
            now_ms = self._clock.now_ms()
            version = store_next(
                connection, actor.account_id, keyring=keyring, precondition=precondition, now_ms=now_ms
            )
            if row.state == State.ASKED:
                until = now_ms + rules.COLLECT_MS
                self._decide(connection, actor, lookup, State.APPROVED, device=form.device, until=until)
            failpoint("pairing-written")
            return version

        version = await self._looked_up(actor, prefix, work)
        failpoint("pairing-approved")
        return version

    async def refuse(self, actor: Actor, lookup: str, *, prefix: str) -> None:
        """Tells the machine no, also after one's own yes: what it was not given yet it will not get.

        Raises Refusal pairing-expired or rate-limited.
        """

        def work(connection: Connection) -> bool | None:
            row = self._find(connection, lookup)
            if row is None or row.account_id not in (None, actor.account_id):
                return None
            self._decide(connection, actor, lookup, State.REFUSED, device=None, until=row.expires_at)
            return True

        await self._looked_up(actor, prefix, work)

    async def poll(self, form: wire.PairingPoll) -> wire.SignedIn:
        """Lets the machine in once somebody has approved. Collected again, the session gets another token.

        Raises Refusal authorization-pending, slow-down, pairing-expired, pairing-refused or invalid.
        """
        digest = hashlib.sha256(rules.device_code(form.device_code)).digest()
        answer = await self._database.write(lambda connection: self._poll(connection, digest))
        failpoint("pairing-collected")
        if isinstance(answer, Refusal):  # raised here, so that what was noted of the poll stays
            raise answer
        return answer

    async def sweep(self) -> int:
        """Removes pairings whose time is over; returns how many."""
        now_ms = self._clock.now_ms()
        return await self._database.write(lambda connection: queries.forget(connection, now_ms=now_ms))

    def _poll(self, connection: Connection, digest: bytes) -> wire.SignedIn | Refusal:
        now_ms = self._clock.now_ms()
        row = queries.by_code(connection, digest, now_ms=now_ms)
        if row is None:
            return Refusal("pairing-expired")
        if row.state == State.REFUSED:
            return Refusal("pairing-refused")
        if row.state == State.APPROVED:
            return self._collected(connection, row)
        asking = Asking(row.state, row.interval_s, row.polled_at, row.expires_at)
        interval_s = rules.next_interval_s(asking, now_ms=now_ms)
        queries.note_poll(connection, row.lookup, now_ms=now_ms, interval_s=interval_s)
        if interval_s > row.interval_s:
            return RetryLater("slow-down", seconds=interval_s)
        return RetryLater("authorization-pending", seconds=interval_s)

    def _collected(self, connection: Connection, row: AnyRow) -> wire.SignedIn | Refusal:
        session: NewSession | None
        if row.session_id is None:
            session = self._sessions.create(
                connection, row.account_id, "cli", label=row.label, device=row.device
            )
            queries.note_session(connection, row.lookup, session.id)
        else:
            session = self._sessions.renew(connection, row.account_id, row.session_id)
        if session is None:
            return Refusal("pairing-expired")
        return wire.SignedIn(f"{row.name}@{self._server_name}", session.id, session.token)

    def _find(self, connection: Connection, lookup: str) -> AnyRow | None:
        if not rules.is_lookup(lookup):
            return None
        return queries.by_lookup(connection, lookup, now_ms=self._clock.now_ms())

    def _decide(
        self,
        connection: Connection,
        actor: Actor,
        lookup: str,
        state: State,
        *,
        device: str | None,
        until: int,
    ) -> None:
        queries.decide(
            connection, lookup, state, account_id=actor.account_id, device=device, expires_at=until
        )

    async def _looked_up(self, actor: Actor, prefix: str, work: Callable[[Connection], T | None]) -> T:
        """Does the work on a pairing; wrong lookups are counted, and beyond the limit right ones are refused too."""
        who = {"pairing-account": str(actor.account_id), "pairing-network": prefix}
        rate = self._settings.rate_pairings

        def counted(connection: Connection) -> T | None:
            for limiter, key in who.items():
                self._limiter.check(connection, limiter, key, rate)
            found = work(connection)
            if found is None:
                for limiter, key in who.items():
                    self._limiter.take(connection, limiter, key, rate)
            return found

        found = await self._database.write(counted)
        if found is None:
            raise Refusal("pairing-expired")
        return found


def _may_approve(row: AnyRow, actor: Actor, device: str) -> bool:
    """The same approval may come twice, when its answer was lost."""
    if row.state == State.ASKED:
        return True
    is_repeated: bool = (
        row.state == State.APPROVED and row.account_id == actor.account_id and row.device == device
    )
    return is_repeated
