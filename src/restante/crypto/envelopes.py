"""Envelopes: one small age file per way in to a message, here their content and how they are sealed.

Implements docs/protocol/envelopes.md; receiving.py opens them.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from restante.crypto.age import Recipient, X25519Identity, X25519Recipient, parse_recipient, seal
from restante.crypto.details import Kind
from restante.crypto.errors import EnvelopeTooLarge
from restante.crypto.fields import Millis, Name
from restante.crypto.kdf import link_fp
from restante.protocol.encoding import b64
from restante.protocol.limits import ENVELOPE_BYTES, ENVELOPE_PLAINTEXT_BYTES
from restante.signing import container
from restante.signing.keys import SigningKey, fp
from restante.signing.records import Record

LINK_PREFIX = "link:"
"""Before a link's fingerprint in ``sent_to``, where an account stands as its acct."""


class To(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Either an account with the fingerprint of its signing key, or the fingerprint of a link's recipient."""

    acct: str | None = None
    fp: str | None = None
    link: str | None = None


class From(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sender as they call themselves; a caller without an account has no ``acct``."""

    acct: str | None = None
    name: Name | None = None


class AnswerTo(msgspec.Struct, frozen=True, kw_only=True):
    """A guest link of the caller's own making, for the answer."""

    recipient: str
    bearer_sha256: str


class EnvelopeFields(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"from_": "from"}):
    """The payload of a container ``restante/1 envelope``; ``sent_to`` stands in a sender's own copy only."""

    id: str
    kind: str
    created: Millis
    to: To
    from_: From | None
    key: str
    details: str
    upload: str | None = None
    expires: Millis | None = None
    once: bool = False
    may_forward: bool = False
    reply_to: str | None = None
    prev: str | None = None
    answer_to: AnswerTo | None = None
    forwarded: str | None = None
    sent_to: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] | None = None

    def __repr__(self) -> str:
        return f"EnvelopeFields({self.id}, {self.kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What all envelopes of a message say alike; ``upload`` is the id of the finished upload of a video."""

    id: str
    kind: Kind
    created_ms: int
    key: X25519Identity = field(repr=False)
    details_sha256: bytes
    upload: str | None = None
    expires_ms: int | None = None
    once: bool = False
    may_forward: bool = False
    reply_to: str | None = None
    answer_to: AnswerTo | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """An account that signs what it sends; ``name`` is what the recipient is shown."""

    acct: str
    name: str | None
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody without an account: nothing is signed, and the name is shown as such."""

    name: str | None = None


def seal_for_account(
    message: Message,
    author: Sender | Caller,
    record: Record,
    *,
    prev: str | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Seals for the account whose record this is; check the record against its pin first.

    ``prev`` is the id of the author's previous message to the same account, so that a gap can be noticed.
    """
    recipient = parse_recipient(record.current_recipient(message.created_ms))
    fields = _fields(message, author, To(acct=record.acct, fp=fp(record.sign)), prev=prev)
    return _seal(fields, author, recipient, random)


def seal_for_link(
    message: Message,
    author: Sender | Caller,
    recipient: X25519Recipient,
    *,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Seals for a guest link; its recipient stays secret."""
    fields = _fields(message, author, To(link=link_fp(str(recipient))))
    return _seal(fields, author, recipient, random)


def seal_forward(
    original: EnvelopeFields,
    raw: bytes,
    sender: Sender,
    record: Record,
    *,
    now_ms: int,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Seals a received message for one more account; ``raw`` is the container in which it came."""
    fields = msgspec.structs.replace(
        original,
        created=now_ms,
        to=To(acct=record.acct, fp=fp(record.sign)),
        from_=_from(sender),
        may_forward=False,
        prev=None,
        reply_to=None,
        answer_to=None,
        forwarded=b64(raw),
    )
    return _seal(fields, sender, parse_recipient(record.current_recipient(now_ms)), random)


def seal_own_copy(
    message: Message,
    sender: Sender,
    recipient: Recipient,
    *,
    sent_to: Iterable[str],
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Seals the sender's own copy, to the sender's current recipient.

    ``sent_to`` lists the accts, and links as ``link:`` and their fingerprint.
    """
    fields = _fields(message, sender, To(acct=sender.acct, fp=fp(sender.key.public)), sent_to=tuple(sent_to))
    return _seal(fields, sender, recipient, random)


def _fields(
    message: Message,
    author: Sender | Caller,
    to: To,
    *,
    prev: str | None = None,
    sent_to: tuple[str, ...] | None = None,
) -> EnvelopeFields:
    return EnvelopeFields(
        id=message.id,
        kind=message.kind.value,
        created=message.created_ms,
        to=to,
        from_=_from(author),
        key=str(message.key),
        details=b64(message.details_sha256),
        upload=message.upload,
        expires=message.expires_ms,
        once=message.once,
        may_forward=message.may_forward,
        reply_to=message.reply_to,
        prev=prev,
        answer_to=message.answer_to,
        sent_to=sent_to,
    )


def _from(author: Sender | Caller) -> From | None:
    if isinstance(author, Sender):
        return From(acct=author.acct, name=author.name)
    return From(name=author.name) if author.name is not None else None


def _seal(
    fields: EnvelopeFields,
    author: Sender | Caller,
    recipient: Recipient,
    random: Callable[[int], bytes],
) -> bytes:
    key = author.key if isinstance(author, Sender) else None
    plaintext = container.write_padded(container.Type.ENVELOPE, fields, key=key)
    if len(plaintext) > ENVELOPE_PLAINTEXT_BYTES:
        raise EnvelopeTooLarge
    sealed = seal(plaintext, recipient, random=random)
    if len(sealed) > ENVELOPE_BYTES:
        raise EnvelopeTooLarge
    return sealed
