"""What happens inside the one transaction of a send: all of it is stored, or nothing."""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from restante.protocol import ijson
from restante.protocol.wire import Sent
from restante.server.abuse.bans import check_may_send
from restante.server.acquaintances.service import Acquaintances
from restante.server.availability.service import Availability
from restante.server.availability.sighting import Sighting
from restante.server.config import Settings
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.limits.service import Limiter
from restante.server.links.service import GuestLinks
from restante.server.messages import queries
from restante.server.messages.rules import Parcel, check_own_copy, claim_of
from restante.server.outbox import events
from restante.server.plans.service import Plans
from restante.server.push import telling
from restante.server.sessions.actor import Actor
from restante.server.uploads.service import Uploads


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a send, whether it is a repeated one, and whose boxes changed."""

    sent: Sent
    replayed: bool = True
    touched: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Sending:
    """One send, ready for its transaction."""

    actor: Actor
    key: str
    parcel: Parcel
    now_ms: int
    settings: Settings
    uploads: Uploads
    links: GuestLinks
    limiter: Limiter
    acquaintances: Acquaintances
    plans: Plans
    availability: Availability
    claim_key: bytes
    seen: Sighting

    def run(self, connection: Connection) -> Outcome:
        """Answers as before when the request is known; else stores it. Raises Refusal."""
        known = self._by_key(connection)
        if known is not None:
            return Outcome(known)
        known = self._by_id(connection)
        outcome = self._store(connection) if known is None else Outcome(known)
        queries.keep_key(
            connection,
            self.actor,
            self.key,
            digest=self.parcel.digest,
            answer=ijson.encode(outcome.sent),
            now_ms=self.now_ms,
        )
        failpoint("send-before-commit")
        return outcome

    def _by_key(self, connection: Connection) -> Sent | None:
        kept = queries.find_key(connection, self.actor, self.key)
        if kept is None:
            return None
        if kept.request_sha256 != self.parcel.digest:
            raise Refusal("key-reused")
        return ijson.decode(kept.answer, Sent)

    def _by_id(self, connection: Connection) -> Sent | None:
        row = queries.find_message(connection, self.actor.account_id, self.parcel.message.id)
        if row is None:
            return None
        if row.request_sha256 != self.parcel.digest:
            raise Refusal("id-taken")
        links = self.links.ids_of(connection, self.actor.account_id, row.id, self.parcel.message.links)
        return _answer(row.id, row.received_at, links)

    def _store(self, connection: Connection) -> Outcome:
        message, actor = self.parcel.message, self.actor
        check_own_copy(self.parcel, actor.name)
        check_may_send(connection, actor.account_id, self.settings)
        if self.parcel.sent is not None:  # else it is no sending: it goes to nobody but oneself
            self.availability.check_send(connection, actor, self.seen)
        self.limiter.take(connection, "sends", str(actor.account_id), self.settings.rate_sends)
        if message.expires_at is not None and message.expires_at <= self.now_ms:
            raise Refusal("invalid", detail="expires_at: lies in the past")
        recipients = find_recipients(connection, message.recipients)
        video_bytes = 0
        if message.upload is not None:
            video_bytes = self.uploads.claim(connection, actor.account_id, message.upload, message.id)
        facts = queries.insert_message(
            connection,
            self.parcel,
            account_id=actor.account_id,
            video_bytes=video_bytes,
            claim_hmac=self._claim_hmac(),
            received_at=self.now_ms,
            expires_at=self._count(connection, video_bytes),
        )
        failpoint("send-message-stored")
        blockers = self.acquaintances.who_blocked(connection, actor.account_id, recipients.values())
        everybody = frozenset({actor.account_id, *recipients.values()})
        changes = events.append(connection, everybody, "message", message.id, now_ms=self.now_ms)
        others = everybody - {actor.account_id}
        tell(connection, self.acquaintances, actor.account_id, others, blockers, now_ms=self.now_ms)
        queries.insert_copies(connection, self._copies(recipients, changes, blockers), facts)
        queries.withhold_events(connection, message.id, blockers, changes)
        failpoint("send-envelopes-stored")
        links = self._store_links(connection)
        return Outcome(_answer(message.id, self.now_ms, links), replayed=False, touched=everybody - blockers)

    def _count(self, connection: Connection, video_bytes: int) -> int | None:
        """Counts it under the sender's plan; returns when it ends: when the sender wishes, or when the plan keeps it no longer."""
        account_id, wished = self.actor.account_id, self.parcel.message.expires_at
        latest = self.plans.count_message(connection, account_id, video_bytes=video_bytes, now_ms=self.now_ms)
        ends = [at for at in (wished, latest) if at is not None]
        return min(ends, default=None)

    def _store_links(self, connection: Connection) -> list[str]:
        message = self.parcel.message
        wanted = [(link, self.parcel.links[f"link:{place}"]) for place, link in enumerate(message.links)]
        return self.links.store(connection, self.actor.account_id, message.id, wanted, now_ms=self.now_ms)

    def _copies(
        self, recipients: dict[str, int], changes: dict[int, int], blockers: Collection[int]
    ) -> list[dict[str, Any]]:
        def copy(account_id: int, box: str, envelope: bytes) -> dict[str, Any]:
            arrives = account_id not in blockers  # else [Note: Blocked and none the wiser]
            return {
                "message_id": self.parcel.message.id,
                "account_id": account_id,
                "box": box if arrives else "hidden",
                "envelope": envelope if arrives else None,
                "received_at": self.now_ms,
                "change": changes[account_id] if arrives else 0,
                "forwarded_by": None,
            }

        received = [
            copy(account_id, "inbox", self.parcel.envelopes[name]) for name, account_id in recipients.items()
        ]
        if self.parcel.sent is None:
            return received
        return [*received, copy(self.actor.account_id, "sent", self.parcel.sent)]

    def _claim_hmac(self) -> bytes:
        """Binds id, claim, sender and time, so that a report can be believed after the message is gone."""
        message = self.parcel.message
        text = b"%s\0%s\0%d\0%d" % (
            message.id.encode(),
            claim_of(message),
            self.actor.account_id,
            self.now_ms,
        )
        return hmac.new(self.claim_key, text, hashlib.sha256).digest()


def tell(
    connection: Connection,
    acquaintances: Acquaintances,
    sender_id: int,
    others: frozenset[int],
    blockers: Collection[int],
    *,
    now_ms: int,
) -> None:
    """Has them told of what one sender left; strangers' recipients are told as of calls, not each time."""
    known = {one for one in others if acquaintances.may_notify(connection, one, sender_id)}
    telling.tell(connection, known, "message", but_not=blockers, now_ms=now_ms)
    telling.tell(connection, others - known, "request", but_not=blockers, now_ms=now_ms)


def find_recipients(connection: Connection, names: list[str]) -> dict[str, int]:
    """The accounts of these names. Raises Refusal no-such-recipient."""
    found = queries.account_ids(connection, names)
    missing = [name for name in names if name not in found]
    if missing:
        raise Refusal("no-such-recipient", recipients=missing)
    return found


def _answer(message_id: str, received_at: int, links: list[str]) -> Sent:
    return Sent(id=message_id, received_at=received_at, state="stored", links=links)
