"""What makes a withheld message noticeable: each envelope names the sender's previous message to the same account.

>>> previous = Previous(account)
>>> previous.to("nobody-yet@localhost", but_not="msg_aaaaaaaaaaaaaaaaaaaaaaaaaa") is None
True

The sender knows it from this device's own memory and from the own copies under Sent, which other devices left; the later
one counts. A recipient to whom it was never delivered is told that something may be missing, no more: it may have been
taken back, or its time was over. The memory has no addresses, only what is made of them with the account's state key: a
thief of the folder learns nothing from it.
"""

import contextlib
import hashlib
import hmac
from functools import cached_property

import msgspec

from restante.client.account import Account, now_ms
from restante.client.errors import ServerProblem
from restante.client.files import waited_lock, write_private
from restante.client.shards import load_shard
from restante.crypto.receiving import open_own_copy
from restante.crypto.state import Seen, is_seen_shard
from restante.protocol import ijson, wire
from restante.protocol.encoding import unb64
from restante.protocol.names import split_acct
from restante.signing.errors import ProtocolError

_FILE = "previous.json"
_LOCK = "previous.lock"
_LOOKED_AT = "50"


class Note(msgspec.Struct, frozen=True):
    """A message that went to an account, and when."""

    id: str
    at: int


class Previous:
    """The last messages of one account, by recipient; Sent is looked at once."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def to(self, acct: str, *, but_not: str) -> str | None:
        """Returns the id of the last message to an account, other than the one that is being made."""
        there = (
            note
            for item in self._sent
            if item.id != but_not and split_acct(acct)[0] in {each.recipient for each in item.deliveries}
            if (note := self._checked(item, acct))
        )
        found = [
            note
            for note in (_read(self._account).get(_label(self._account, acct)), next(there, None))
            if note
        ]
        return max(found, key=lambda note: note.at).id if found else None

    @cached_property
    def _sent(self) -> list[wire.SentItem]:
        """The newest first. Without them the memory of this device must do."""
        with contextlib.suppress(ServerProblem):
            page = self._account.session.get(
                "/api/v1/sent", wire.SentBox, limit=_LOOKED_AT, envelopes="inline"
            )
            return [item for item in page.items if item.deleted_at is None]
        return []

    def _checked(self, item: wire.SentItem, acct: str) -> Note | None:
        """Believes the own copy, not the list."""
        account = self._account
        with contextlib.suppress(ProtocolError, ValueError):
            sealed = unb64(item.envelope or "")
            identities = account.keyring.identities
            opened = open_own_copy(sealed, identities=identities, me=account.me, now_ms=now_ms())
            if opened.fields.id == item.id and acct in (opened.fields.sent_to or ()):
                return Note(item.id, opened.fields.created)
        return None


def note_sent(account: Account, message_id: str, to: tuple[str, ...], *, at: int) -> None:
    """Remembers on this device that a message went out."""
    with waited_lock(account.profile.folder / _LOCK):
        labels = [_label(account, acct) for acct in to]
        _write(account, _read(account) | dict.fromkeys(labels, Note(message_id, at)))


def forget_sent(account: Account, message_id: str) -> None:
    """Forgets a message that was taken back: nobody shall miss it."""
    with waited_lock(account.profile.folder / _LOCK):
        _write(account, {label: note for label, note in _read(account).items() if note.id != message_id})


class Received:
    """Which messages ever came, by the shards of seen ids; all are read when it is first asked."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def has(self, message_id: str) -> bool:
        """Tells whether an id was received on any device, in any month."""
        return message_id in self._ids

    @cached_property
    def _ids(self) -> frozenset[str]:
        listed = self._account.session.get("/api/v1/account/state", wire.Shards).items
        kept = {path.stem for path in self._account.profile.shards.glob("seen-*.age")}
        names = sorted(kept | {item.shard for item in listed if is_seen_shard(item.shard)})
        return frozenset(id_ for name in names for id_ in load_shard(self._account, name, Seen).ids)


def _label(account: Account, acct: str) -> str:
    """What stands in the memory for an address."""
    return hmac.new(account.keyring.state.encode(), acct.encode(), hashlib.sha256).hexdigest()[:32]


def _read(account: Account) -> dict[str, Note]:
    """A memory that is lost or damaged is an empty one."""
    with contextlib.suppress(OSError, ijson.BadJson):
        return ijson.decode((account.profile.folder / _FILE).read_bytes(), dict[str, Note])
    return {}


def _write(account: Account, notes: dict[str, Note]) -> None:
    write_private(account.profile.folder / _FILE, ijson.encode(notes))
