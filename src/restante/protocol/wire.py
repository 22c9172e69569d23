"""What travels as JSON between client and server (docs/reference/http.md). One type each, used on both sides.

Times are Unix milliseconds. Bytes are base64url without padding. Field names are snake case on the wire too.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from restante.protocol.wire_availability import Country, SignUpPolicy, Ticket
from restante.protocol.wire_base import B64, Instant, LinkId, MessageId, MessageKind, Name, UploadId
from restante.protocol.wire_links import NewLink
from restante.protocol.wire_passkeys import Assertion, CeremonyId, NewCredential

DeviceId = Annotated[str, Meta(pattern=r"^dev_[a-z2-7]{25}[aeimquy4]$", max_length=30)]
MethodId = Annotated[str, Meta(pattern=r"^mth_[a-z2-7]{25}[aeimquy4]$", max_length=30)]
Label = Annotated[str, Meta(max_length=64)]
Lookup = Annotated[str, Meta(pattern=r"^[a-z2-7]{16}$", max_length=16)]

UnlockType = Literal["passphrase", "recovery"]
"""Ways in by a bearer."""
WayInType = Literal["passphrase", "recovery", "passkey"]
ClientKind = Literal["web", "cli"]
MessageState = Literal["stored", "delivered", "played", "deleted"]


class Limits(msgspec.Struct, frozen=True):
    """Limits that a client must know beforehand, in bytes, milliseconds and counts."""

    upload_bytes: int
    recording_ms: int
    part_bytes: int
    details_bytes: int
    envelope_bytes: int
    recipients: int
    unfinished_uploads: int


class ServerInfo(msgspec.Struct, frozen=True):
    """Who this server is; ``server_name`` is the right side of every acct and never changes."""

    server_name: str
    version: str
    protocol: list[int]
    sign_up: SignUpPolicy
    limits: Limits
    passkeys: bool = False
    """Whether the address that was asked may have passkeys: a domain or localhost, no bare address."""
    provider: str = ""
    """How the provider of identities is called that a sign-up may go by; empty: there is none."""


class Unlock(msgspec.Struct, frozen=True):
    """One way in at sign-up.

    ``passphrase`` and ``recovery`` have their bearer (32 bytes), which the server will know by its SHA-256, the former its
    salt (16 bytes); ``passkey`` has what the ceremony gave, and the label and the mid that stand in the keyring.
    """

    type: WayInType
    bearer: B64 | None = None
    salt: B64 | None = None
    ceremony: CeremonyId | None = None
    credential: NewCredential | None = None
    label: Label | None = None
    mid: MethodId | None = None


class SignUp(msgspec.Struct, frozen=True):
    """A new account, stored in one transaction: record (signed container) and keyring.age, both base64url."""

    name: Name
    record: B64
    keyring: B64
    unlock: Annotated[list[Unlock], Meta(min_length=1, max_length=8)]
    client: ClientKind
    country: Country | None = None
    ticket: Ticket | None = None


class SignIn(msgspec.Struct, frozen=True):
    """A sign-in by the bearer of an unlock method."""

    name: Name
    type: UnlockType
    bearer: B64
    client: ClientKind


class SignInByPasskey(msgspec.Struct, frozen=True):
    """A sign-in by whatever passkey the person chose."""

    ceremony: CeremonyId
    credential: Assertion
    client: ClientKind


class SignedIn(msgspec.Struct, frozen=True):
    """A session; ``token`` is given once, to the CLI only (the web gets a cookie and an empty string)."""

    acct: str
    session_id: str
    token: str


class Salt(msgspec.Struct, frozen=True):
    """The Argon2id salt of a name's passphrase, 16 bytes; unknown names get one too, always the same."""

    salt: B64


class Session(msgspec.Struct, frozen=True):
    """One place where the account is signed in. ``label`` and ``device`` are what it said of itself."""

    id: str
    client: ClientKind
    created_at: Instant
    last_seen_at: Instant
    current: bool
    label: str = ""
    device: str | None = None


class Sessions(msgspec.Struct, frozen=True):
    items: list[Session]


class Introduction(msgspec.Struct, frozen=True):
    """What a session calls itself, for its owner's list; ``device`` is its entry in the account's keyring."""

    label: Label
    device: DeviceId | None = None


class NewPairing(msgspec.Struct, frozen=True):
    """A machine that wants to be paired; ``label`` is what it calls itself."""

    label: Annotated[str, Meta(min_length=1, max_length=64)]


class Pairing(msgspec.Struct, frozen=True):
    """``lookup`` goes into the address, ``device_code`` stays with the machine; ``interval`` is in seconds."""

    lookup: Lookup
    device_code: B64
    interval: int
    expires_at: Instant


class PairingAsked(msgspec.Struct, frozen=True):
    """Which machine asks; its own word."""

    label: str
    created_at: Instant
    expires_at: Instant


class PairingApproval(msgspec.Struct, frozen=True):
    """The account's keyring, sealed to the machine too; ``device`` is its entry there."""

    keyring: B64
    device: DeviceId


class PairingPoll(msgspec.Struct, frozen=True):
    """A machine asks what was decided; ``device_code`` is 32 bytes."""

    device_code: B64


class NameState(msgspec.Struct, frozen=True):
    """Whether somebody has a name."""

    taken: bool


class WayIn(msgspec.Struct, frozen=True):
    """One way in. ``id`` is a passkey's mid in the keyring; of the other two there is one each, and it is their type."""

    id: str
    type: WayInType
    label: str
    created_at: Instant
    last_used_at: Instant | None


class WaysIn(msgspec.Struct, frozen=True):
    items: list[WayIn]


class PutWayIn(msgspec.Struct, frozen=True):
    """A new passphrase (with its salt) or recovery code, and keyring.age as it is from then on."""

    bearer: B64
    keyring: B64
    salt: B64 | None = None


class AddPasskey(msgspec.Struct, frozen=True):
    """One more passkey, and keyring.age as it is from then on."""

    ceremony: CeremonyId
    credential: NewCredential
    label: Label
    mid: MethodId
    keyring: B64


class RemoveWayIn(msgspec.Struct, frozen=True):
    """keyring.age as it is without the way in."""

    keyring: B64


class Verification(msgspec.Struct, frozen=True):
    """Shows that it is still the account's person: by the bearer of a passphrase or recovery code, or by a passkey."""

    type: WayInType = "passkey"
    bearer: B64 | None = None
    ceremony: CeremonyId | None = None
    credential: Assertion | None = None


class Verified(msgspec.Struct, frozen=True):
    """Until when changes that need it are taken from this session."""

    until: Instant


class Record(msgspec.Struct, frozen=True):
    """An account record as stored: the signed container, and its rev for convenience (verify, do not trust).

    ``leaf`` is its place in the server's log of account records (docs/protocol/transparency.md).
    """

    acct: str
    rev: int
    record: B64
    leaf: Annotated[int, Meta(ge=0, le=2**53 - 1)]


class Records(msgspec.Struct, frozen=True):
    """All revisions, oldest first."""

    items: list[Record]


class PutRecord(msgspec.Struct, frozen=True):
    record: B64


class Shard(msgspec.Struct, frozen=True):
    """A stored state shard's name and version (the ETag without quotes)."""

    shard: str
    version: str


class Shards(msgspec.Struct, frozen=True):
    items: list[Shard]


class Send(msgspec.Struct, frozen=True):
    """The part ``message`` of a send; ``details_sha256`` is the sender's claim, 32 bytes."""

    id: MessageId
    kind: MessageKind
    details_sha256: B64
    recipients: Annotated[list[Name], Meta(max_length=50, extra_json_schema={"uniqueItems": True})]
    """May be empty when there are links."""
    upload: UploadId | None = None
    expires_at: Instant | None = None
    until_played: bool = False
    """It ends shortly after its last recipient has played or deleted it."""
    may_forward: bool = False
    links: Annotated[list[NewLink], Meta(max_length=20)] = []
    """Each has a part `link:<place>`, from 0, with its envelope."""


class Sent(msgspec.Struct, frozen=True):
    """The answer to a send; the same for each repetition of it."""

    id: MessageId
    received_at: Instant
    state: MessageState
    links: list[LinkId] = []
    """The ids of its links, in the order of the send."""


class InboxItem(msgspec.Struct, frozen=True):
    """One message in the mailbox. ``sender`` is the server's word: only the envelope proves it.

    ``change`` grows with every change of the item: the largest one seen is the next ``since``. A tombstone has
    ``deleted_at`` and no envelope. ``video_bytes`` is 0 when there is no video. Of a ``forwarded`` one ``sender`` passed it on.
    """

    id: MessageId
    kind: MessageKind
    sender: Name | None
    received_at: Instant
    video_bytes: int
    change: int
    fetched_at: Instant | None = None
    played_at: Instant | None = None
    expires_at: Instant | None = None
    deleted_at: Instant | None = None
    envelope: B64 | None = None
    until_played: bool = False
    may_forward: bool = False
    forwarded: bool = False


class Inbox(msgspec.Struct, frozen=True):
    """A page, newest first (with ``since``: oldest change first); ``cursor`` is null on the last one."""

    items: list[InboxItem]
    cursor: str | None


class Delivery(msgspec.Struct, frozen=True):
    """How far the message came with one recipient; the receipts are signed by them, the times are the server's word."""

    recipient: Name
    fetched_at: Instant | None
    played_at: Instant | None
    deleted_at: Instant | None
    delivery_receipt: B64 | None = None
    play_receipt: B64 | None = None


class SentItem(msgspec.Struct, frozen=True):
    """One message under Sent; ``state`` is the least advanced of its deliveries, ``envelope`` the sender's own copy."""

    id: MessageId
    kind: MessageKind
    received_at: Instant
    video_bytes: int
    change: int
    state: MessageState
    deliveries: list[Delivery]
    expires_at: Instant | None = None
    deleted_at: Instant | None = None
    envelope: B64 | None = None
    until_played: bool = False
    may_forward: bool = False


class SentBox(msgspec.Struct, frozen=True):
    """A page, newest first; ``cursor`` is null on the last one."""

    items: list[SentItem]
    cursor: str | None


class Mark(msgspec.Struct, frozen=True):
    """What the recipient did; marking twice keeps the first time.

    ``tell`` false: the sender is not shown it. ``receipt`` is a container ``restante/1 receipt`` for the sender.
    """

    mark: Literal["fetched", "played"]
    tell: bool = True
    receipt: Annotated[B64, Meta(max_length=2731)] | None = None


class KnownTable(msgspec.Struct, frozen=True):
    """Rows of one table that belong to the account; ``bytes`` are those of stored files and sealed fields.

    ``first_at`` and ``last_at`` are null when there are no rows, or rows without a time.
    """

    table: str
    rows: int
    bytes: int
    first_at: Instant | None
    last_at: Instant | None


class KnownPeer(msgspec.Struct, frozen=True):
    """Somebody who wrote to the account, or was written to; messages that were deleted count while their rows are kept."""

    name: Name
    sent: int
    received: int
    bytes: int
    first_at: Instant
    last_at: Instant


class Known(msgspec.Struct, frozen=True):
    """What this server has about the account, counted from the rows themselves."""

    name: Name
    created_at: Instant
    tables: list[KnownTable]
    peers: list[KnownPeer]


class Hint(msgspec.Struct, frozen=True):
    """The data of a server-sent event: that something happened to a message, never what it says."""

    kind: Literal["message", "mark", "deleted", "resync"]
    id: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error (RFC 9457). ``code`` is stable; ``instance`` is the request id under which it is logged."""

    type: str
    title: str
    status: int
    code: str
    instance: str
    detail: str = ""
    hint: str = ""
    retry_after: int | None = None
    recipients: list[str] | None = None
    limit: int | None = None
    used: int | None = None
