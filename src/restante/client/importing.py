"""Going on from an export on another server: under the same signing key, with contacts, settings, groups and what was received.

    >>> from restante.client.export import export
    >>> wrote = export(account, folder / "export")
    >>> with Archive.at(folder / "export") as archive:
    ...     exported = unlock(archive, passphrase=passphrase)
    ...     taken = take_over(account, exported, archive)
    >>> exported.acct == account.acct, taken.failed
    (True, [])

Nothing in the archive is believed: keyring and shards are opened by the keys that sealed and signed them, and each message passes the checks
of a receiver. It is sealed anew to the account itself, with the sender's container as it was signed, and stands in the inbox under its own id.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from restante.client import tus
from restante.client.account import Account, now_ms
from restante.client.accounts import Moved
from restante.client.archive import Archive
from restante.client.drafts import Request
from restante.client.errors import (
    AnswerMalformed,
    ArchiveDamaged,
    ArchiveLocked,
    ClientError,
    MessageMislabelled,
    OtherKeys,
    ServerProblem,
    UnknownServer,
    Unreachable,
)
from restante.client.export import ACCOUNT, KEYRING, STATE, WAYS, Ways
from restante.client.moving import ALIASES, keep_alias
from restante.client.opened import Trouble
from restante.client.pages import SETTING as PAGE
from restante.client.people import People
from restante.client.posting import multipart
from restante.client.shards import AnyShard, change_shard
from restante.crypto import passphrase as passphrases
from restante.crypto import recovery, state
from restante.crypto.age import seal
from restante.crypto.errors import KeyringNoMatch, ShardDamaged, StateError, WrongBox
from restante.crypto.groups import GROUPS, Groups
from restante.crypto.kdf import unlock_access
from restante.crypto.keyring import Keyring, open_keyring
from restante.crypto.receiving import Me, Opened, Trust, open_envelope
from restante.crypto.video import VideoManifest, VideoOpener
from restante.protocol import ijson, limits, wire
from restante.protocol.encoding import b64, unb64
from restante.protocol.names import split_acct
from restante.signing.errors import ProtocolError, SigningError

_WAYS_BYTES = 4096
_ENDS_IT = (401, 403, 429, 507)
"""What the server would say to every other message, too."""
_ELSEWHERE = (PAGE, ALIASES)
"""Settings that are of one server only."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What opened an export: whose it is, and the keys that were in it."""

    acct: str
    keyring: Keyring = field(repr=False)

    @property
    def moved(self) -> Moved:
        """The account, as a sign-up goes on from it."""
        return Moved(self.acct, self.keyring.signing_key)


@dataclass(slots=True)
class Taken:
    """What an import did; ``failed`` says what was refused, and why.

    ``ended`` had run out or was to be watched once; ``sent`` is what the account itself had sent: it stays in the export.
    """

    written: int = 0
    skipped: int = 0
    ended: int = 0
    sent: int = 0
    shards: int = 0
    failed: list[tuple[str, Trouble]] = field(default_factory=list)


def unlock(archive: Archive, *, passphrase: str | None = None, code: str | None = None) -> Exported:
    """Opens the keyring of an export. Raises ArchiveDamaged, ArchiveLocked, RecoveryCodeTypo or a KeyringError."""
    try:
        ways = ijson.decode(archive.read(f"{ACCOUNT}/{WAYS}", limit=_WAYS_BYTES), Ways)
        salt = unb64(ways.salt)
        split_acct(ways.acct)
    except (ijson.BadJson, ValueError) as error:
        raise ArchiveDamaged(WAYS) from error
    sealed = archive.read(f"{ACCOUNT}/{KEYRING}", limit=limits.KEYRING_BYTES)
    if code is not None:
        access = unlock_access(recovery.read_code(code))
    else:
        access = passphrases.passphrase_access(passphrase or "", salt=salt)
    try:
        return Exported(ways.acct, open_keyring(sealed, access.identity, acct=ways.acct))
    except KeyringNoMatch as error:
        raise ArchiveLocked from error


def take_over(
    account: Account, exported: Exported, archive: Archive, *, tell: Callable[[str], object] = lambda _: None
) -> Taken:
    """Stores what is not here yet; run again, it goes on. Raises OtherKeys, ArchiveDamaged, Unreachable or ServerProblem."""
    if exported.keyring.signing_key.public not in account.keyring.own_keys:
        raise OtherKeys
    taken = Taken()
    _take_shards(account, exported, archive, taken)
    if exported.acct != account.acct:
        keep_alias(account, exported.moved.alias_to(account.acct))
    here, reader = _ids_here(account), _Reader(account, exported, archive, People(account))
    for message_id in archive.messages():
        if message_id in here:
            taken.skipped += 1
            continue
        tell(message_id)
        _take_message(reader, message_id, taken)
    return taken


@dataclass(frozen=True, slots=True)
class _Reader:
    account: Account
    exported: Exported
    archive: Archive
    people: People

    def read(self, message_id: str) -> tuple[bytes, Opened]:
        """Seals a container to the account, and opens that as the inbox would."""
        account, limit = self.account, limits.ENVELOPE_PLAINTEXT_BYTES
        raw = self.archive.read(f"{message_id}/envelope.signed", limit=limit)
        sealed = seal(raw, account.keyring.own_recipient(now_ms()))
        opened = open_envelope(
            sealed,
            identities=account.keyring.identities,
            me=Me(account.acct, account.me.keys, aliases=frozenset({self.exported.acct})),
            pinned=self.people.pin,
            seen=lambda _id, _shard: None,
            now_ms=now_ms(),
        )
        if opened.fields.id != message_id:
            raise MessageMislabelled
        if opened.trust is Trust.FIRST:  # nobody on this server could say whose key it is
            acct = opened.fields.from_.acct if opened.fields.from_ else None
            raise UnknownServer(acct or "")
        return sealed, opened


def _take_message(reader: _Reader, message_id: str, taken: Taken) -> None:
    try:
        sealed, opened = reader.read(message_id)
        fields = opened.fields
        if fields.once or (fields.expires is not None and fields.expires <= now_ms()):
            taken.ended += 1
            return
        _post(reader.account, opened, sealed, reader.archive)
    except Unreachable:
        raise
    except WrongBox:
        taken.sent += 1
    except (ProtocolError, ClientError) as trouble:
        if isinstance(trouble, ServerProblem) and trouble.status in _ENDS_IT:
            raise
        taken.failed.append((message_id, trouble))
    else:
        taken.written += 1


def _post(account: Account, opened: Opened, sealed: bytes, archive: Archive) -> None:
    fields = opened.fields
    details = archive.read(f"{fields.id}/details.age", limit=limits.DETAILS_BYTES)
    described, upload = opened.open_details(details), None
    if described.video is not None:
        video = archive.read(f"{fields.id}/video.age", limit=limits.UPLOAD_BYTES)
        _verify(opened, described.video.manifest(), video)
        upload = _upload(account, video)
    name = account.identity.name
    message = wire.Send(
        id=fields.id,
        kind=opened.kind.value,
        details_sha256=fields.details,
        recipients=[name],
        upload=upload,
        expires_at=fields.expires,
    )
    request = Request(
        idempotency_key=secrets.token_hex(16),
        message=message,
        details=b64(details),
        envelopes={name: b64(sealed)},
        sent="",
    )
    body, kind = multipart(request)
    headers = {"content-type": kind, "idempotency-key": request.idempotency_key}
    retry = account.session.retry.patient()
    sent = account.session.call("POST", "/api/v1/messages", content=body, headers=headers, retry=retry)
    if sent.decode(wire.Sent).id != fields.id:
        raise AnswerMalformed("another message's id")


def _verify(opened: Opened, manifest: VideoManifest, video: bytes) -> None:
    opener = VideoOpener(opened.key, manifest)
    for start in range(0, len(video), limits.PART_BYTES):
        opener.update(video[start : start + limits.PART_BYTES])
    opener.finish()


def _upload(account: Account, video: bytes) -> str:
    retry = account.session.retry.patient()
    upload = tus.create(account.session, retry=retry)
    sender = tus.Sender(account.session, upload, lambda at, size: video[at : at + size], retry=retry)
    while not sender.is_finished:
        sender.advance(len(video), length=len(video))
    return upload.id


def _ids_here(account: Account) -> set[str]:
    """What the mailbox has, or had: a message that was deleted here does not come back."""
    found: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        page = account.session.get(
            "/api/v1/inbox", wire.Inbox, limit="100", envelopes="none", **(cursor or {"since": "0"})
        )
        found |= {item.id for item in page.items}
        if page.cursor is None or cursor == {"cursor": page.cursor}:
            return found
        cursor = {"cursor": page.cursor}


def _take_shards(account: Account, exported: Exported, archive: Archive, taken: Taken) -> None:
    for file in archive.files(f"{ACCOUNT}/{STATE}"):
        name = file.removesuffix(".age")
        shape = _shape(name)
        if shape is None:
            continue
        sealed = archive.read(f"{ACCOUNT}/{STATE}/{file}", limit=limits.SHARD_BYTES)
        try:
            _merge(account, name, _open(exported, sealed, name, shape))
        except (StateError, SigningError) as trouble:
            taken.failed.append((name, trouble))
        else:
            taken.shards += 1


def _open(exported: Exported, sealed: bytes, name: str, shape: type[AnyShard]) -> AnyShard:
    keyring = exported.keyring
    for identity in keyring.former_state_identities:
        with suppress(ShardDamaged):
            return state.open_shard(sealed, shape, name=name, state=identity, signers=keyring.own_keys)
    return state.open_shard(sealed, shape, name=name, state=keyring.state_identity, signers=keyring.own_keys)


def _merge(account: Account, name: str, theirs: AnyShard) -> None:
    if isinstance(theirs, state.Settings):
        kept = {key: value for key, value in theirs.settings.items() if key not in _ELSEWHERE}
        theirs = msgspec.structs.replace(theirs, settings=kept)
    # One's own rev goes on: the other server's is another count.
    fresh = msgspec.structs.replace(theirs, rev=0)
    change_shard(account, name, type(theirs), lambda shard: shard.merge(fresh))


def _shape(name: str) -> type[Any] | None:
    if name.startswith("seen-"):
        return state.Seen if state.is_seen_shard(name) else None
    if name.startswith("kept-"):
        return state.Kept
    return {state.CONTACTS: state.Contacts, state.SETTINGS: state.Settings, GROUPS: Groups}.get(name)
