"""Receiving an envelope: every check, in the order of docs/protocol/envelopes.md, each with its own error.

Decrypt, container rules, signer against the pin, recipient, id not seen with other bytes, date; then the
details by their signed hash (``Opened.open_details``) and the parts of the video (video.py).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from restante.crypto.age import AgeError, Identity, NoMatch, X25519Identity, unseal
from restante.crypto.details import Details, Kind, open_details
from restante.crypto.envelopes import EnvelopeFields
from restante.crypto.errors import (
    EnvelopeDamaged,
    EnvelopeMalformed,
    EnvelopeNoMatch,
    EnvelopeTooLarge,
    FromTheFuture,
    MessageIdReused,
    SenderNotSigned,
    SignerUnnamed,
    WrongBox,
    WrongRecipient,
    WrongSigner,
)
from restante.crypto.fields import is_b64
from restante.crypto.forwarding import Original, read_original
from restante.crypto.kdf import link_fp
from restante.crypto.pins import Pin
from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, is_id
from restante.protocol.limits import CREATED_AHEAD, ENVELOPE_BYTES, ENVELOPE_PLAINTEXT_BYTES
from restante.protocol.names import split_acct
from restante.signing import container
from restante.signing.container import Container
from restante.signing.errors import NeedsNewerVersion
from restante.signing.keys import fp

Pinned = Callable[[str], Pin | None]
"""Looks up the pin of an acct."""
Seen = Callable[[str, str], str | None]
"""Looks up the digest under which a message id was received, in a shard such as ``seen-2026-11``."""


class Trust(Enum):
    """What is known of the sender; the screen always says it."""

    OWN = "own"
    """This account signed it."""
    PINNED = "pinned"
    """The key known since first contact signed it."""
    FORMER = "former"
    """A key signed it that the sender has since replaced by succession."""
    FIRST = "first"
    """Unknown sender: fetch the account record and pin it with ``pins.first_use`` before showing anything."""
    UNSIGNED = "unsigned"
    """A caller without an account; anybody may have written it."""


@dataclass(frozen=True, slots=True)
class Me:
    """The receiving account: ``keys`` are its signing keys, the current one first."""

    acct: str
    keys: tuple[bytes, ...]
    aliases: frozenset[str] = frozenset()

    def owns(self, acct: str | None) -> bool:
        """Tells whether this is the account's address or one of its earlier ones."""
        return acct == self.acct or acct in self.aliases


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that passed every check; ``digest`` is to be stored in the shard ``seen_shard`` under its id."""

    fields: EnvelopeFields
    kind: Kind
    key: X25519Identity = field(repr=False)
    trust: Trust
    signer: bytes | None
    digest: str
    container: bytes = field(repr=False)
    original: Original | None = None
    """Who sent what somebody passed on; None otherwise."""

    @property
    def seen_shard(self) -> str:
        """The name of the state shard that remembers this id."""
        return seen_shard(self.fields.created)

    @property
    def details_sha256(self) -> bytes:
        """The signed hash of ``details.age``."""
        return unb64(self.fields.details, size=32)

    def open_details(self, sealed: bytes) -> Details:
        """Opens the message's details. Raises DetailsError."""
        return open_details(sealed, self.key, sha256=self.details_sha256, kind=self.kind)


def open_envelope(
    sealed: bytes,
    *,
    identities: Sequence[Identity],
    me: Me,
    pinned: Pinned,
    seen: Seen,
    now_ms: int,
) -> Opened:
    """Opens an envelope from the inbox of an account. Raises EnvelopeError or SigningError."""
    opened = _open(sealed, identities, lambda acct: _own_or_pinned(acct, me, pinned))
    to = opened.fields.to
    if not me.owns(to.acct) or to.fp not in {fp(key) for key in me.keys}:
        raise WrongRecipient
    if opened.fields.sent_to is not None:
        raise WrongBox
    _check_seen(opened, seen)
    _check_created(opened, now_ms)
    return opened


def open_own_copy(sealed: bytes, *, identities: Sequence[Identity], me: Me, now_ms: int) -> Opened:
    """Opens what this account sealed for itself under Sent. Raises EnvelopeError or SigningError."""
    opened = _open(sealed, identities, lambda acct: _own_or_pinned(acct, me, lambda _: None))
    if opened.trust is not Trust.OWN:
        raise WrongSigner
    to = opened.fields.to
    if not me.owns(to.acct) or to.fp not in {fp(key) for key in me.keys}:
        raise WrongRecipient
    if opened.fields.sent_to is None:
        raise WrongBox
    _check_created(opened, now_ms)
    return opened


def open_link_envelope(sealed: bytes, *, identity: X25519Identity, pinned: Pinned, now_ms: int) -> Opened:
    """Opens an envelope that came by guest link. Raises EnvelopeError or SigningError."""
    opened = _open(sealed, [identity], lambda acct: _keys(pinned(acct), Trust.PINNED))
    if opened.fields.to.link != link_fp(str(identity.recipient())):
        raise WrongRecipient
    if opened.fields.sent_to is not None:
        raise WrongBox
    _check_created(opened, now_ms)
    return opened


def seen_shard(created_ms: int) -> str:
    """Names the state shard of an envelope's month (UTC), which the sender signed."""
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=min(created_ms, _YEAR_9999_MS))
    return f"seen-{when:%Y-%m}"


_YEAR_9999_MS = 253_370_764_800_000
_Keys = Callable[[str], dict[bytes, Trust]]


def _own_or_pinned(acct: str, me: Me, pinned: Pinned) -> dict[bytes, Trust]:
    if me.owns(acct):
        return dict.fromkeys(me.keys, Trust.OWN)
    return _keys(pinned(acct), Trust.PINNED)


def _keys(pin: Pin | None, current: Trust) -> dict[bytes, Trust]:
    if pin is None:
        return {}
    former = {unb64(text, size=32): Trust.FORMER for text in pin.former}
    return former | {pin.key: current}


def _open(sealed: bytes, identities: Sequence[Identity], known: _Keys) -> Opened:
    box = _decrypt(sealed, identities)
    fields = box.decode(EnvelopeFields)
    kind = _check_form(fields)
    return Opened(
        fields,
        kind,
        _message_key(fields),
        _check_signer(box, fields, known),
        box.signer,
        b64(hashlib.sha256(box.raw).digest()[:8]),
        box.raw,
        _original(box, fields, known),
    )


def _original(box: Container, fields: EnvelopeFields, known: _Keys) -> Original | None:
    """Of a sender whose key is not known the account is not told: then it is the forwarder's word."""
    if fields.forwarded is None:
        return None
    original = read_original(fields, box.signer)
    keys = known(original.acct)
    if keys and original.signer not in keys:
        raise WrongSigner
    return original if keys else replace(original, acct="", name=None)


def _decrypt(sealed: bytes, identities: Sequence[Identity]) -> Container:
    if len(sealed) > ENVELOPE_BYTES:
        raise EnvelopeTooLarge
    try:
        plaintext = unseal(sealed, *identities, stanzas=1)
    except NoMatch as error:
        raise EnvelopeNoMatch from error
    except AgeError as error:
        raise EnvelopeDamaged from error
    return container.read(plaintext, container.Type.ENVELOPE, limit=ENVELOPE_PLAINTEXT_BYTES)


def _check_form(fields: EnvelopeFields) -> Kind:
    try:
        kind = Kind(fields.kind)
    except ValueError as error:
        raise NeedsNewerVersion from error
    ids = [fields.id, *(text for text in (fields.reply_to, fields.prev) if text is not None)]
    if not all(is_id(text, Prefix.MESSAGE) for text in ids):
        raise EnvelopeMalformed("a message id")
    if (fields.upload is not None) != (kind is Kind.VIDEO) or not is_b64(fields.details, 32):
        raise EnvelopeMalformed("upload or details")
    if fields.upload is not None and not is_id(fields.upload, Prefix.UPLOAD):
        raise EnvelopeMalformed("upload")
    to = fields.to
    if (to.acct is None) != (to.fp is None) or (to.acct is None) == (to.link is None):
        raise EnvelopeMalformed("to")
    return kind


def _message_key(fields: EnvelopeFields) -> X25519Identity:
    try:
        return X25519Identity.parse(fields.key)
    except AgeError as error:
        raise EnvelopeMalformed("key") from error


def _check_signer(box: Container, fields: EnvelopeFields, known: _Keys) -> Trust:
    acct = fields.from_.acct if fields.from_ else None
    if box.signer is None:
        if acct is not None:
            raise SenderNotSigned
        return Trust.UNSIGNED
    if acct is None:
        raise SignerUnnamed
    try:
        split_acct(acct)
    except ValueError as error:
        raise EnvelopeMalformed("from") from error
    keys = known(acct)
    if keys and box.signer not in keys:
        raise WrongSigner
    return keys.get(box.signer, Trust.FIRST)


def _check_seen(opened: Opened, seen: Seen) -> None:
    before = seen(opened.fields.id, opened.seen_shard)
    if before is not None and before != opened.digest:
        raise MessageIdReused


def _check_created(opened: Opened, now_ms: int) -> None:
    if opened.fields.created > now_ms + CREATED_AHEAD // timedelta(milliseconds=1):
        raise FromTheFuture
