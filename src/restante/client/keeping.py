"""What the owner does with messages: kept above the others, or archived; in the state shards ``kept-YYYY-MM``.

>>> item = Mailbox(account).find("1")
>>> Keeping(account).mark(item, kept=True)
>>> Keeping(account).flags(item).kept.value
True
"""

from functools import partial

import msgspec

from restante.client.account import Account, now_ms
from restante.client.errors import KeptFull
from restante.client.opened import Item
from restante.client.shards import change_shard, load_shard
from restante.crypto.receiving import seen_shard
from restante.crypto.state import KEPT_IDS, Flag, Flags, Kept

_NONE = Flags()


class Keeping:
    """The flags of one account's messages; each month is read once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._months: dict[str, Kept] = {}

    def flags(self, item: Item) -> Flags:
        """What the owner did with a message."""
        name = _shard(item)
        if name not in self._months:
            self._months[name] = load_shard(self._account, name, Kept)
        return self._months[name].messages.get(item.id, _NONE)

    def is_kept(self, item: Item) -> bool:
        """Tells whether it stands above the others."""
        return _is(self.flags(item).kept)

    def is_archived(self, item: Item) -> bool:
        """Tells whether it is out of the way."""
        return _is(self.flags(item).archived)

    def mark(self, item: Item, *, kept: bool | None = None, archived: bool | None = None) -> None:
        """Notes what the owner wants; None leaves it as it is. Raises KeptFull."""
        at, name = now_ms(), _shard(item)
        flags = Flags(
            kept=None if kept is None else Flag(value=kept, at=at),
            archived=None if archived is None else Flag(value=archived, at=at),
        )
        change = partial(_with, message_id=item.id, flags=flags)
        self._months[name] = change_shard(self._account, name, Kept, change)


def _with(shard: Kept, *, message_id: str, flags: Flags) -> Kept:
    if message_id not in shard.messages and len(shard.messages) >= KEPT_IDS:
        raise KeptFull
    return shard.merge(msgspec.structs.replace(shard, messages={message_id: flags}))


def _shard(item: Item) -> str:
    """By the month that the sender signed; of a damaged one, by that of the server."""
    at = item.message.opened.fields.created if item.message else item.listed.received_at
    return seen_shard(at).replace("seen-", "kept-")


def _is(flag: Flag | None) -> bool:
    return flag is not None and flag.value
