"""State shards: the account's sealed notes on the server, with a sealed copy on this device.

    >>> contacts = load_shard(account, CONTACTS, Contacts)
    >>> isinstance(contacts.contacts, dict)
    True

What the server gives is merged with the copy, so that neither a rollback nor a loss there takes anything away.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from restante.client import device_keyring
from restante.client.account import Account
from restante.client.errors import AnswerMalformed, ServerProblem
from restante.client.files import make_private, write_private
from restante.client.http import OCTETS
from restante.crypto.errors import ShardDamaged, ShardForged, ShardRolledBack, StateError
from restante.crypto.groups import Groups
from restante.crypto.state import (
    Contacts,
    Kept,
    Seen,
    Settings,
    next_rev,
    open_shard,
    reseal_shard,
    seal_shard,
)
from restante.protocol import wire
from restante.protocol.limits import SHARD_BYTES
from restante.signing.errors import SigningError

AnyShard = TypeVar("AnyShard", Groups, Contacts, Settings, Seen, Kept)
SHARD_NAME = re.compile(r"[a-z0-9-]{1,32}\Z")
_TRIES = 5
_ALL = "/api/v1/account/state"


def load_shard(account: Account, name: str, shape: type[AnyShard]) -> AnyShard:
    """Fetches a shard and merges it with this device's copy; an empty one where there is neither.

    A wrong one from the server is told as a notice, and the copy is used; without a copy, it raises StateError.
    """
    shard, _ = _load(account, name, shape)
    return shard


def change_shard(
    account: Account, name: str, shape: type[AnyShard], change: Callable[[AnyShard], AnyShard]
) -> AnyShard:
    """Applies a change and stores it, again and again while other devices store theirs. Returns what was stored."""
    for _ in range(_TRIES):
        before, version = _load(account, name, shape)
        after = change(before)
        if after == before:
            return before
        after = next_rev(after)
        sealed = seal_shard(after, state=account.keyring.state_identity, key=account.keyring.signing_key)
        try:
            condition = {"if-match": version} if version else {"if-none-match": "*"}
            account.session.call("PUT", _path(name), content=sealed, headers={**OCTETS, **condition})
        except ServerProblem as problem:
            if problem.code != "stale-version":
                raise
            refused = problem
        else:
            _keep_copy(account, name, sealed, after.rev)
            return after
    raise refused


def reseal_shards(account: Account) -> None:
    """Seals every shard that the server has to the present state key, where it is sealed to a former one."""
    for item in account.session.get(_ALL, wire.Shards).items:
        _reseal(account, item.shard)


def sealed_shards(account: Account) -> Iterator[tuple[str, bytes]]:
    """Gets every shard as the server has it: its name, and the sealed bytes."""
    for item in account.session.get(_ALL, wire.Shards).items:
        if not SHARD_NAME.match(item.shard):
            raise AnswerMalformed("a shard's name")
        sealed, _ = _fetch(account, item.shard)
        if sealed is not None:
            yield item.shard, sealed


def _load(account: Account, name: str, shape: type[AnyShard]) -> tuple[AnyShard, str | None]:
    copy = _copy(account, name, shape)
    sealed, version = _fetch(account, name)
    highest = account.profile.signed_in.revs.get(name, 0)
    if sealed is None:
        if highest:
            account.notice(f"{ShardRolledBack.sentence} ({name}). {ShardRolledBack.hint}")
        return copy or shape(shard=name), None
    try:
        theirs = _open_by_newest(account, sealed, name, shape, highest_rev=highest)
    except (StateError, SigningError) as error:
        if copy is None:
            raise
        account.notice(f"{error} ({name}). {error.hint}")
        return copy, version
    _keep_copy(account, name, sealed, theirs.rev)
    return (theirs.merge(copy) if copy else theirs), version


def _fetch(account: Account, name: str) -> tuple[bytes | None, str | None]:
    try:
        answer = account.session.call("GET", _path(name), limit=SHARD_BYTES)
    except ServerProblem as problem:
        if problem.code != "not-found":
            raise
        return None, None
    if not (version := answer.headers.get("etag")):
        raise AnswerMalformed("a shard without a version")
    return answer.body, version


def _copy(account: Account, name: str, shape: type[AnyShard]) -> AnyShard | None:
    with contextlib.suppress(OSError, StateError, SigningError):
        sealed = (account.profile.shards / f"{name}.age").read_bytes()
        return _open(account, sealed, name, shape, highest_rev=0)
    return None


def _keep_copy(account: Account, name: str, sealed: bytes, rev: int) -> None:
    write_private(make_private(account.profile.shards) / f"{name}.age", sealed)
    account.profile.raise_rev(name, rev)


def _open_by_newest(
    account: Account, sealed: bytes, name: str, shape: type[AnyShard], *, highest_rev: int
) -> AnyShard:
    """Opens, perhaps by a state key that another device has made since this one opened the keyring."""
    try:
        return _open(account, sealed, name, shape, highest_rev=highest_rev)
    except (ShardDamaged, ShardForged):
        if not device_keyring.refresh(account):
            raise
    return _open(account, sealed, name, shape, highest_rev=highest_rev)


def _open(account: Account, sealed: bytes, name: str, shape: type[AnyShard], *, highest_rev: int) -> AnyShard:
    keys = [account.keyring.state_identity, *account.keyring.former_state_identities]
    for state in keys[:-1]:
        with contextlib.suppress(ShardDamaged):
            return open_shard(
                sealed, shape, name=name, state=state, signers=account.me.keys, highest_rev=highest_rev
            )
    return open_shard(
        sealed, shape, name=name, state=keys[-1], signers=account.me.keys, highest_rev=highest_rev
    )


def _reseal(account: Account, name: str) -> None:
    """Seals one shard to the present state key, unless it is already, or cannot be opened."""
    keyring = account.keyring
    for _ in range(_TRIES):
        sealed, version = _fetch(account, name)
        if sealed is None or version is None:
            return
        try:
            renewed = reseal_shard(
                sealed,
                name=name,
                state=keyring.state_identity,
                former=keyring.former_state_identities,
                signers=account.me.keys,
                key=keyring.signing_key,
            )
        except (StateError, SigningError) as error:
            account.notice(f"{error} ({name}). {error.hint}")
            return
        if renewed is None:
            return
        try:
            account.session.call(
                "PUT", _path(name), content=renewed[0], headers={**OCTETS, "if-match": version}
            )
        except ServerProblem as problem:
            if problem.code != "stale-version":
                raise
            refused = problem
        else:
            _keep_copy(account, name, *renewed)
            return
    raise refused


def _path(name: str) -> str:
    return f"{_ALL}/{name}"
