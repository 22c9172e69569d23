"""What happens inside the one transaction in which a caller leaves a message: all of it is stored, or nothing.

[Note: Whose a caller's message is] Its row belongs to the account that it is for, as an upload made for it does: there is no
other. So the owner may delete it for good, and nobody is named as its sender.
"""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import Connection

from restante.protocol.wire import Send
from restante.protocol.wire_pages import Left
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.messages import queries
from restante.server.messages.rules import CallParcel, Parcel, claim_of
from restante.server.outbox import events
from restante.server.pages.service import Pages
from restante.server.push import telling
from restante.server.uploads.service import Uploads


@dataclass(frozen=True, slots=True)
class Calling:
    """One message left, ready for its transaction."""

    token: str
    parcel: CallParcel
    now_ms: int
    uploads: Uploads
    pages: Pages
    claim_key: bytes

    def run(self, connection: Connection) -> tuple[Left, set[int]]:
        """Stores it, or answers as before; returns whose boxes changed. Raises Refusal."""
        call = self.pages.check_call(connection, self.token)
        known = queries.find_message(connection, call.account_id, self.parcel.message.id)
        if known is not None:
            if call.message_id != known.id or known.request_sha256 != self.parcel.digest:
                raise Refusal("id-taken")
            return Left(known.id, known.received_at), set()
        if call.message_id is not None:
            raise Refusal("call-over")
        self._store(connection, call.account_id, bytes(call.token_sha256))
        self.pages.note_left(connection, call, self.parcel.message.id)
        failpoint("call-before-commit")
        return Left(self.parcel.message.id, self.now_ms), {call.account_id}

    def _store(self, connection: Connection, account_id: int, call_sha256: bytes) -> None:
        message, video_bytes = self.parcel.message, 0
        if message.upload is not None:
            video_bytes = self.uploads.claim(
                connection, account_id, message.upload, message.id, by=call_sha256
            )
        facts = queries.insert_message(
            connection,
            self._as_parcel(),
            account_id=account_id,
            video_bytes=video_bytes,
            claim_hmac=self._claim_hmac(account_id),
            received_at=self.now_ms,
            expires_at=None,
            by_caller=True,
        )
        changes = events.append(connection, [account_id], "message", message.id, now_ms=self.now_ms)
        telling.tell(connection, [account_id], "caller", now_ms=self.now_ms)
        copy = {
            "message_id": message.id,
            "account_id": account_id,
            "box": "inbox",
            "envelope": self.parcel.envelope,
            "received_at": self.now_ms,
            "change": changes[account_id],
            "forwarded_by": None,
        }
        queries.insert_copies(connection, [copy], facts)

    def _as_parcel(self) -> Parcel:
        message = self.parcel.message
        send = Send(message.id, message.kind, message.details_sha256, [], message.upload)
        return Parcel(send, self.parcel.details, {}, b"", self.parcel.digest)

    def _claim_hmac(self, account_id: int) -> bytes:
        """Binds id, claim, whose row it is and time, as that of a send."""
        message = self.parcel.message
        text = b"%s\0%s\0%d\0%d" % (message.id.encode(), claim_of(message), account_id, self.now_ms)
        return hmac.new(self.claim_key, text, hashlib.sha256).digest()
