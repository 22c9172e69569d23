"""Groups: named lists of people in the account's sealed state; sending to one leaves one message for all of them.

>>> groups = Groups(account)
>>> groups.new("family", ["grace"]).members
('grace@localhost',)
>>> groups.members("family")
('grace@localhost',)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from restante.client.account import Account, now_ms
from restante.client.errors import GroupNameTaken, GroupUnknown, TooManyRecipients
from restante.client.people import People
from restante.client.shards import change_shard, load_shard
from restante.crypto import groups as shard
from restante.crypto.groups import GROUPS, GroupName, Membership
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import RECIPIENTS


@dataclass(frozen=True, slots=True)
class Listed:
    """A group as it is shown."""

    id: str
    name: str
    members: tuple[str, ...]


class Groups:
    """The groups of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def all(self) -> list[Listed]:
        """Lists them by name."""
        return _listed(load_shard(self._account, GROUPS, shard.Groups))

    def members(self, name: str) -> tuple[str, ...]:
        """Who is in a group. Raises GroupUnknown."""
        return self._find(name).members

    def new(self, name: str, names: Sequence[str]) -> Listed:
        """Makes a group. Raises GroupNameTaken, or what checking its people raises."""
        if any(each.name == name for each in self.all()):
            raise GroupNameTaken(name)
        gid, accts = new_id(Prefix.GROUP), self._checked(names)
        group = shard.Group(
            name=GroupName(value=name, at=now_ms()), members=dict.fromkeys(accts, _member(here=True))
        )
        return self._store(gid, group)

    def add(self, name: str, names: Sequence[str]) -> Listed:
        """Adds people. Raises GroupUnknown or TooManyRecipients."""
        accts = self._checked(names)
        return self._change(name, lambda before: (*before, *accts))

    def remove(self, name: str, names: Sequence[str]) -> Listed:
        """Takes people out. Raises GroupUnknown."""
        people = People(self._account)
        gone = {people.acct_of(each) for each in names}
        return self._change(name, lambda before: [acct for acct in before if acct not in gone])

    def drop(self, name: str) -> Listed:
        """Gives a group up. Raises GroupUnknown."""
        found = self._find(name)
        self._store(found.id, shard.Group(name=GroupName(value=None, at=now_ms())))
        return found

    def _change(self, name: str, change: Callable[[tuple[str, ...]], Sequence[str]]) -> Listed:
        found = self._find(name)
        after = set(change(found.members))
        if len(after) > RECIPIENTS:
            raise TooManyRecipients
        joins = dict.fromkeys(after - set(found.members), _member(here=True))
        leaves = dict.fromkeys(set(found.members) - after, _member(here=False))
        # The name stands as it is: with an instant of zero it never wins over what another device says.
        news = shard.Group(name=GroupName(value=found.name, at=0), members=joins | leaves)
        return self._store(found.id, news)

    def _store(self, gid: str, news: shard.Group) -> Listed:
        change = partial(shard.Groups.merge, other=shard.Groups(groups={gid: news}))
        stored = change_shard(self._account, GROUPS, shard.Groups, change)
        group = stored.groups[gid]
        return Listed(gid, group.name.value or "", group.accts)

    def _checked(self, names: Sequence[str]) -> list[str]:
        """Looks everybody up, as before a send: a group of nobodies would fail only then."""
        if len(set(names)) > RECIPIENTS:
            raise TooManyRecipients
        return [record.acct for record in People(self._account).recipients(names)]

    def _find(self, name: str) -> Listed:
        for each in self.all():
            if name in (each.name, each.id):
                return each
        raise GroupUnknown(name)


def _member(*, here: bool) -> Membership:
    return Membership(value=here, at=now_ms())


def _listed(groups: shard.Groups) -> list[Listed]:
    live = [
        Listed(gid, group.name.value, group.accts)
        for gid, group in groups.groups.items()
        if group.name.value is not None
    ]
    return sorted(live, key=lambda each: (each.name, each.id))
