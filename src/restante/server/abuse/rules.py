"""Pure checks of what a report discloses. Only signatures and hashes: nothing here can decrypt."""

import hashlib
import hmac
from collections.abc import Collection
from typing import Any

import msgspec

from restante.protocol.encoding import unb64
from restante.protocol.limits import ENVELOPE_PLAINTEXT_BYTES
from restante.server.errors import Refusal
from restante.signing import container
from restante.signing.errors import ProtocolError

Row = Any


class To(msgspec.Struct, frozen=True):
    """Whom the envelope was for."""

    acct: str | None = None


class From(msgspec.Struct, frozen=True):
    """Who says that they left it."""

    acct: str | None = None


class Disclosed(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What a report needs of a container `restante/1 envelope`."""

    id: str
    to: To
    from_: From | None
    details: str


def read(raw: bytes, *, message_id: str, reporter: str) -> tuple[Disclosed, bytes | None]:
    """Reads a disclosed container about this message to this acct; returns it and the key that signed it.

    Raises Refusal report-unproven.
    """
    try:
        box = container.read(raw, container.Type.ENVELOPE, limit=ENVELOPE_PLAINTEXT_BYTES)
        fields = box.decode(Disclosed)
    except ProtocolError as error:
        raise Refusal("report-unproven", detail=error.code) from error
    if fields.id != message_id or fields.to.acct != reporter:
        raise Refusal("report-unproven", detail="another message, or to somebody else")
    return fields, box.signer


def author(fields: Disclosed, server_name: str) -> str | None:
    """The account here that says it signed the container; None when nobody does."""
    acct = fields.from_.acct if fields.from_ else None
    if acct is None:
        return None
    name, _, server = acct.partition("@")
    return name if server == server_name else ""


def check_signer(signer: bytes | None, *, keys: Collection[bytes]) -> None:
    """Refuses a signature by none of the author's keys. Raises Refusal report-unproven."""
    if signer not in keys:
        raise Refusal("report-unproven", detail="not signed by who left the message")


def check_claim(fields: Disclosed, message: Row, claim_key: bytes) -> None:
    """Holds the disclosed hash of the details against what was kept at the send. Raises Refusal report-unproven."""
    try:
        details = unb64(fields.details, size=32)
    except ValueError as error:
        raise Refusal("report-unproven", detail="details") from error
    claim = claim_hmac(
        claim_key, message.id, details, account_id=message.account_id, received_at=message.received_at
    )
    if not hmac.compare_digest(claim, message.claim_hmac):
        raise Refusal("report-unproven", detail="other details than those that were sent")


def claim_hmac(key: bytes, message_id: str, details: bytes, *, account_id: int, received_at: int) -> bytes:
    """Binds id, claim, sender and time, so that a report can be believed after the message is gone."""
    text = b"%s\0%s\0%d\0%d" % (message_id.encode(), details, account_id, received_at)
    return hmac.new(key, text, hashlib.sha256).digest()
