"""Reports of abuse: one message, disclosed by who received it, and proved by what was kept at its send.

[Note: Proved after deletion] The row of a deleted message stays as a tombstone for 90 days, with the HMAC over its id, the hash of its
details, its sender and time. So a disclosed container is held against it whether or not the message is still there.

[Note: Held as evidence] While a report waits, the bytes of its message's video are not removed by a deletion or expiry, for thirty
days at most; nobody but the operator can get at them.
"""

from datetime import timedelta

from sqlalchemy import Connection

from restante.protocol.encoding import unb64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.wire_people import NewReport, Reported
from restante.server.abuse import queries, rules
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.limits.service import Limiter
from restante.server.push import telling
from restante.server.sessions.actor import Actor
from restante.signing import records

claim_hmac = rules.claim_hmac
HELD_MS = timedelta(days=30) // timedelta(milliseconds=1)


class Reports:
    """Takes reports; what the operator does with them is in desk.py."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        limiter: Limiter,
        claim_key: bytes,
        server_name: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._limiter = limiter
        self._claim_key = claim_key
        self._server_name = server_name

    async def report(self, actor: Actor, new: NewReport) -> Reported:
        """Keeps a report; a second one of the same message changes nothing. Raises Refusal not-found or report-unproven."""
        try:
            raw = unb64(new.container)
        except ValueError as error:
            raise Refusal("invalid", detail="container: base64url without padding") from error
        outcome = await self._database.write(lambda connection: self._keep(connection, actor, new, raw))
        failpoint("report-kept")
        return outcome

    def _keep(self, connection: Connection, actor: Actor, new: NewReport, raw: bytes) -> Reported:
        self._limiter.take(connection, "reports", str(actor.account_id), self._settings.rate_reports)
        message = queries.received(connection, actor.account_id, new.message)
        if message is None:
            raise Refusal("not-found")
        known = queries.of_reporter(connection, actor.account_id, new.message)
        if known is not None:
            return Reported(known.id, known.created_at, self._settings.abuse_contact)
        author = self._proved(connection, actor, message, raw)
        row = {
            "id": new_id(Prefix.REPORT),
            "account_id": actor.account_id,
            "message_id": message.id,
            "sender_id": None if author is None else author.id,
            "sender": "" if author is None else author.name,
            "upload_id": message.upload_id,
            "reason": new.reason,
            "note": new.note,
            "container": raw,
            "details": message.details,
            "received_at": message.received_at,
            "created_at": self._clock.now_ms(),
            "state": "open",
            "decision": "",
        }
        queries.add(connection, row)
        telling.announce(connection, "report.filed", now_ms=row["created_at"])
        return Reported(row["id"], row["created_at"], self._settings.abuse_contact)

    def _proved(
        self, connection: Connection, actor: Actor, message: rules.Row, raw: bytes
    ) -> rules.Row | None:
        """Returns the account that left the message, or None for a caller without one. Raises Refusal report-unproven."""
        reporter = f"{actor.name}@{self._server_name}"
        fields, signer = rules.read(raw, message_id=message.id, reporter=reporter)
        rules.check_claim(fields, message, self._claim_key)
        name = rules.author(fields, self._server_name)
        if name is None and signer is None and message.by_caller:
            return None
        author = queries.account(connection, name or "")
        known = author is not None and author.id in (message.account_id, message.forwarded_by)
        # Of a caller who has an account, the signature alone tells who it was.
        if author is None or not (known or message.by_caller):
            raise Refusal("report-unproven", detail="not from who left the message")
        keys = {records.read(each).sign for each in queries.records(connection, author.id)}
        rules.check_signer(signer, keys=keys)
        return author


def removal_due_ms(connection: Connection, message_id: str, *, now_ms: int) -> int:
    """When the bytes of a message that just ended may go: at once, or later as [Note: Held as evidence]."""
    return now_ms + HELD_MS if queries.is_open(connection, message_id) else now_ms
