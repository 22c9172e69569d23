"""State shards: contacts, settings and seen ids, each an age file to the state key with its own merge.

Implements docs/protocol/keyring-and-state.md. A merge is commutative, associative and idempotent, so that devices
agree in whatever order they write: on 412 fetch, merge, seal with the next rev, put again.
"""

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Self, TypeVar

import msgspec

from restante.crypto.age import AgeError, X25519Identity, seal, unseal
from restante.crypto.contacts import Contact, join_contacts
from restante.crypto.errors import (
    ShardDamaged,
    ShardForged,
    ShardMalformed,
    ShardRolledBack,
    ShardSwapped,
    ShardTooLarge,
)
from restante.crypto.fields import Count, Millis, is_b64
from restante.crypto.groups import Groups
from restante.crypto.pins import Pin
from restante.protocol import ijson
from restante.protocol.ids import Prefix, is_id
from restante.protocol.limits import SHARD_BYTES
from restante.protocol.names import split_acct
from restante.signing import container
from restante.signing.errors import PayloadMalformed
from restante.signing.keys import SigningKey

CONTACTS = "contacts"
SETTINGS = "settings"
SEEN_IDS = 4000
"""How many ids a shard of seen ids takes before its month goes on in the next one."""
KEPT_IDS = 1500
"""How many messages of one month can be kept above the others or archived."""
DIGEST_BYTES = 8

_MONTH_CHARS = len("seen-YYYY-MM")
_SEEN_NAME = re.compile(r"seen-[0-9]{4}-(0[1-9]|1[0-2])(-[2-9])?\Z")
_KEPT_NAME = re.compile(r"kept-[0-9]{4}-(0[1-9]|1[0-2])\Z")
V = TypeVar("V")


def is_seen_shard(name: str) -> bool:
    """Tells whether a shard of this name holds seen ids."""
    return _SEEN_NAME.match(name) is not None


class Contacts(msgspec.Struct, frozen=True, kw_only=True):
    """The shard ``contacts``: what is known of each acct."""

    shard: str = CONTACTS
    rev: Count = 0
    contacts: dict[str, Contact] = {}

    def merge(self, other: Self) -> Self:
        """Joins contact by contact."""
        joined = _joined(self.contacts, other.contacts, join_contacts)
        return msgspec.structs.replace(self, rev=max(self.rev, other.rev), contacts=joined)

    def with_contact(self, acct: str, contact: Contact) -> Self:
        """Joins what is newly known of one account."""
        return self.merge(msgspec.structs.replace(self, contacts={acct: contact}))

    def pin(self, acct: str) -> Pin | None:
        """Looks up the pin of an acct, as receiving asks for it."""
        contact = self.contacts.get(acct)
        return contact.pin if contact else None

    def check(self) -> None:
        """Refuses foreign names and malformed keys. Raises ValueError."""
        if self.shard != CONTACTS:
            raise ValueError("shard")
        for acct, contact in self.contacts.items():
            split_acct(acct)
            if contact.pin and not all(is_b64(key, 32) for key in (contact.pin.sign, *contact.pin.former)):
                raise ValueError("a pin")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One value and when the person chose it."""

    value: str | int | bool | None
    at: Millis


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The shard ``settings``: the later choice of each key wins."""

    shard: str = SETTINGS
    rev: Count = 0
    settings: dict[str, Setting] = {}

    def merge(self, other: Self) -> Self:
        """Keeps the later value of each key."""
        joined = _joined(self.settings, other.settings, _later)
        return msgspec.structs.replace(self, rev=max(self.rev, other.rev), settings=joined)

    def check(self) -> None:
        """Refuses another shard's name. Raises ValueError."""
        if self.shard != SETTINGS:
            raise ValueError("shard")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A shard ``seen-YYYY-MM``: message ids of that month with the digest of the container they came in."""

    shard: str
    rev: Count = 0
    ids: Annotated[dict[str, str], msgspec.Meta(max_length=SEEN_IDS)] = {}

    @property
    def has_room(self) -> bool:
        """Tells whether another id fits; if not, the month goes on in the shard with ``-2`` added."""
        return len(self.ids) < SEEN_IDS

    def split(self) -> tuple[Self, Self]:
        """Moves what does not fit into the month's next shard: what stays, what goes on (to be merged there)."""
        names = sorted(self.ids)
        stay = {name: self.ids[name] for name in names[:SEEN_IDS]}
        go_on = {name: self.ids[name] for name in names[SEEN_IDS:]}
        month, number = self.shard[:_MONTH_CHARS], int(self.shard[_MONTH_CHARS + 1 :] or 1)
        following = msgspec.structs.replace(self, shard=f"{month}-{number + 1}", rev=0, ids=go_on)
        return msgspec.structs.replace(self, ids=stay), following

    def merge(self, other: Self) -> Self:
        """Unites; of two digests for one id, which only an attack makes, the smaller stays."""
        joined = _joined(self.ids, other.ids, min)
        return msgspec.structs.replace(self, rev=max(self.rev, other.rev), ids=joined)

    def check(self) -> None:
        """Refuses what is no id or digest. Raises ValueError."""
        if not _SEEN_NAME.match(self.shard):
            raise ValueError("shard")
        for text, digest in self.ids.items():
            if not is_id(text, Prefix.MESSAGE) or not is_b64(digest, DIGEST_BYTES):
                raise ValueError("an id")


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """Yes or no, and when the person said so."""

    value: bool
    at: Millis


class Flags(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the owner does with one message: ``kept`` stands above the others, ``archived`` is out of the way."""

    kept: Flag | None = None
    archived: Flag | None = None

    def join(self, other: "Flags") -> "Flags":
        """Keeps the later word of each."""
        return Flags(
            kept=_later_flag(self.kept, other.kept), archived=_later_flag(self.archived, other.archived)
        )


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A shard ``kept-YYYY-MM``: what the owner does with messages of that month (of ``created``, UTC)."""

    shard: str
    rev: Count = 0
    messages: Annotated[dict[str, Flags], msgspec.Meta(max_length=KEPT_IDS)] = {}

    def merge(self, other: Self) -> Self:
        """Joins message by message."""
        joined = _joined(self.messages, other.messages, Flags.join)
        return msgspec.structs.replace(self, rev=max(self.rev, other.rev), messages=joined)

    def check(self) -> None:
        """Refuses what is no id. Raises ValueError."""
        if not _KEPT_NAME.match(self.shard):
            raise ValueError("shard")
        if not all(is_id(text, Prefix.MESSAGE) for text in self.messages):
            raise ValueError("an id")


Shard = TypeVar("Shard", Groups, Contacts, Settings, Seen, Kept)


def seal_shard(
    shard: Groups | Contacts | Settings | Seen | Kept,
    *,
    state: X25519Identity,
    key: SigningKey,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Signs and seals a shard; raise its ``rev`` first (``next_rev``). Raises ShardTooLarge."""
    plaintext = container.write_padded(container.Type.STATE, shard, key=key)
    sealed = seal(plaintext, state.recipient(), random=random)
    if len(sealed) > SHARD_BYTES:
        raise ShardTooLarge
    return sealed


def next_rev(shard: Shard) -> Shard:
    """Counts up before the shard is sealed and put."""
    return msgspec.structs.replace(shard, rev=shard.rev + 1)


def open_shard(
    sealed: bytes,
    shape: type[Shard],
    *,
    name: str,
    state: X25519Identity,
    signers: Collection[bytes],
    highest_rev: int = 0,
) -> Shard:
    """Opens the shard ``name``; ``signers`` are the account's own public keys.

    ``highest_rev`` is the highest that this device has seen. Raises StateError or SigningError.
    """
    if len(sealed) > SHARD_BYTES:
        raise ShardTooLarge
    try:
        plaintext = unseal(sealed, state, stanzas=1)
    except AgeError as error:
        raise ShardDamaged from error
    box = container.read(plaintext, container.Type.STATE, limit=SHARD_BYTES)
    if box.require_signer() not in signers:
        raise ShardForged
    return _checked(box, shape, name, highest_rev)


def reseal_shard(
    sealed: bytes,
    *,
    name: str,
    state: X25519Identity,
    former: Sequence[X25519Identity],
    signers: Collection[bytes],
    key: SigningKey,
) -> tuple[bytes, int] | None:
    """Seals a shard that is sealed to a former state key to the present one, with the next rev; returns it and that rev.

    None when the present key opens it, or no key does. What it holds is not looked at: newer clients have shards that this one
    does not know. Raises StateError or SigningError when it is not the account's own.
    """
    if len(sealed) > SHARD_BYTES:
        raise ShardTooLarge
    if _unsealed(sealed, state) is not None:
        return None
    opened = (_unsealed(sealed, identity) for identity in former)
    plaintext = next((found for found in opened if found is not None), None)
    if plaintext is None:
        return None
    box = container.read(plaintext, container.Type.STATE, limit=SHARD_BYTES)
    if box.require_signer() not in signers:
        raise ShardForged
    head = _decoded(box, _Head)
    if head.shard != name:
        raise ShardSwapped
    content = {key: value for key, value in ijson.loads(box.payload).items() if key != "pad"}
    content["rev"] = head.rev + 1
    renewed = container.write_padded(container.Type.STATE, content, key=key)
    return seal(renewed, state.recipient()), head.rev + 1


class _Head(msgspec.Struct, frozen=True):
    """What every shard says, whatever it holds."""

    shard: str
    rev: Count


def _unsealed(sealed: bytes, identity: X25519Identity) -> bytes | None:
    try:
        return unseal(sealed, identity, stanzas=1)
    except AgeError:
        return None


def _decoded(box: container.Container, shape: type[V]) -> V:
    try:
        return box.decode(shape)
    except PayloadMalformed as error:
        raise ShardMalformed(error.detail) from error


def _checked(box: container.Container, shape: type[Shard], name: str, highest_rev: int) -> Shard:
    shard = _decoded(box, shape)
    if shard.shard != name:
        raise ShardSwapped
    try:
        shard.check()
    except ValueError as error:
        raise ShardMalformed(str(error)) from error
    if shard.rev < highest_rev:
        raise ShardRolledBack
    return shard


def _joined(one: Mapping[str, V], other: Mapping[str, V], join: Callable[[V, V], V]) -> dict[str, V]:
    both = {key: join(one[key], other[key]) for key in one.keys() & other.keys()}
    united = {**one, **other, **both}
    return {key: united[key] for key in sorted(united)}


def _later_flag(one: Flag | None, other: Flag | None) -> Flag | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda entry: (entry.at, ijson.encode(entry)))


def _later(one: Setting, other: Setting) -> Setting:
    return max(one, other, key=lambda entry: (entry.at, ijson.encode(entry)))
