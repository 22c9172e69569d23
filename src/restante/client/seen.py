"""Which message ids were received, and in which bytes: state shards ``seen-YYYY-MM``, written in batches.

>>> seen = SeenIds(account)
>>> seen.digest("msg_aaaaaaaaaaaaaaaaaaaaaaaaaa", "seen-2026-11") is None
True
"""

from functools import partial

import msgspec

from restante.client.account import Account
from restante.client.errors import ServerProblem
from restante.client.shards import change_shard, load_shard
from restante.crypto.state import SEEN_IDS, Seen

_LONGEST_SERIES = 9


class SeenIds:
    """Reads the shards of a month when it first meets one of its messages; full ones go on in ``-2`` and so on."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._months: dict[str, list[Seen]] = {}
        self._new: dict[str, dict[str, str]] = {}

    def digest(self, message_id: str, month: str) -> str | None:
        """Looks up the digest under which an id was received."""
        for ids in (*(shard.ids for shard in self._series(month)), self._new.get(month, {})):
            if message_id in ids:
                return ids[message_id]
        return None

    def note(self, message_id: str, month: str, digest: str) -> None:
        """Remembers an id, for the next ``save``."""
        if self.digest(message_id, month) is None:
            self._new.setdefault(month, {})[message_id] = digest

    def save(self) -> None:
        """Stores what is new. A server that refuses is told of: the messages are shown all the same."""
        new, self._new = self._new, {}
        try:
            for month, ids in new.items():
                self._save_month(month, ids)
        except ServerProblem as problem:
            self._account.notice(f"The list of received messages could not be stored: {problem}.")

    def _save_month(self, month: str, ids: dict[str, str]) -> None:
        waiting = list(ids.items())
        while waiting:
            last = self._series(month)[-1]
            room = SEEN_IDS - len(last.ids)
            batch, waiting = dict(waiting[:room]), waiting[room:]
            added = Seen(shard=last.shard, ids=batch)
            stored = change_shard(self._account, last.shard, Seen, partial(_merged, added=added))
            self._months[month][-1] = stored
            if not stored.has_room:
                self._go_on(month)

    def _series(self, month: str) -> list[Seen]:
        if month not in self._months:
            self._months[month] = [load_shard(self._account, month, Seen)]
            while not self._months[month][-1].has_room and len(self._months[month]) < _LONGEST_SERIES:
                self._go_on(month)
        return self._months[month]

    def _go_on(self, month: str) -> None:
        series = self._months[month]
        series.append(load_shard(self._account, f"{month}-{len(series) + 1}", Seen))


def _merged(shard: Seen, *, added: Seen) -> Seen:
    """Joins, unless another device filled the shard meanwhile: what it has no room for is noted the next time."""
    room = SEEN_IDS - len(shard.ids)
    fitting = dict([entry for entry in added.ids.items() if entry[0] not in shard.ids][:room])
    return shard.merge(msgspec.structs.replace(added, ids=fitting))
