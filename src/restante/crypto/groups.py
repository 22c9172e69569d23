"""The shard `groups`: named lists of people, known to nobody but their owner, whose copies on several devices merge to the same.

A name and each membership are registers: the later entry wins, ties by the larger encoding. A group whose name is null was given up.
Implements docs/protocol/keyring-and-state.md, "Shards".
"""

from typing import Self, TypeVar

import msgspec

from restante.crypto.fields import Count, Millis, Name
from restante.protocol import ijson
from restante.protocol.ids import Prefix, is_id
from restante.protocol.names import split_acct

GROUPS = "groups"


class GroupName(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner calls the group; null gives it up."""

    value: Name | None
    at: Millis


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody is in the group."""

    value: bool
    at: Millis


Register = TypeVar("Register", GroupName, Membership)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One list."""

    name: GroupName
    members: dict[str, Membership] = {}

    @property
    def accts(self) -> tuple[str, ...]:
        """Who is in it."""
        return tuple(acct for acct, each in sorted(self.members.items()) if each.value)

    def join(self, other: Self) -> Self:
        """Merges two copies of a group."""
        members = {
            acct: _later(self.members.get(acct), other.members.get(acct))
            for acct in sorted(self.members.keys() | other.members.keys())
        }
        return msgspec.structs.replace(self, name=_later(self.name, other.name), members=members)


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """The shard: groups by their id."""

    shard: str = GROUPS
    rev: Count = 0
    groups: dict[str, Group] = {}

    def merge(self, other: Self) -> Self:
        """Joins group by group."""
        joined = {**self.groups, **other.groups}
        for gid in self.groups.keys() & other.groups.keys():
            joined[gid] = self.groups[gid].join(other.groups[gid])
        ordered = {gid: joined[gid] for gid in sorted(joined)}
        return msgspec.structs.replace(self, rev=max(self.rev, other.rev), groups=ordered)

    def check(self) -> None:
        """Refuses foreign names. Raises ValueError."""
        if self.shard != GROUPS:
            raise ValueError("shard")
        for gid, group in self.groups.items():
            if not is_id(gid, Prefix.GROUP):
                raise ValueError("an id")
            for acct in group.members:
                split_acct(acct)


def _later(one: Register | None, other: Register | None) -> Register:
    found = [entry for entry in (one, other) if entry is not None]
    return max(found, key=lambda entry: (entry.at, ijson.encode(entry)))
