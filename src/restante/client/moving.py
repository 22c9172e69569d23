"""Going on under another address: one's own earlier addresses, and telling those who know the old one.

>>> own_aliases(account)
frozenset()

The alias, signed by the key that both addresses have, stands in an account record of each server; one's own are kept in the shard `settings`.
"""

from functools import partial

import msgspec

from restante.client.account import Account, now_ms
from restante.client.errors import OtherKeys, ServerProblem
from restante.client.record_chain import fetch_chain
from restante.client.rotation import put_record
from restante.client.shards import change_shard, load_shard
from restante.crypto.state import SETTINGS, Setting, Settings
from restante.protocol.encoding import b64
from restante.signing import aliases

ALIASES = "aliases"
"""The setting with one's own aliases, base64url, separated by spaces."""
_TRIES = 3


def own_aliases(account: Account) -> frozenset[str]:
    """One's earlier addresses, each proved by one's own key."""
    found = (_read(account, text) for text in _stored(load_shard(account, SETTINGS, Settings)))
    return frozenset(alias.old for alias in found if alias is not None)


def keep_alias(account: Account, alias: bytes) -> None:
    """Remembers, on all devices, that an earlier address is one's own."""
    change_shard(account, SETTINGS, Settings, partial(_with, text=b64(alias), at=now_ms()))


def announce(account: Account, alias: bytes) -> None:
    """Publishes an alias with the account's next record: contacts who look find it there. Raises OtherKeys or ServerProblem."""
    if _read(account, b64(alias)) is None:
        raise OtherKeys
    for _ in range(_TRIES):
        chain = fetch_chain(account.session, account.identity.name, account.acct)
        if any(record.fields.alias == b64(alias) for record in chain):
            return
        try:
            put_record(account, account.keyring.record(now_ms=now_ms(), previous=chain[-1], alias=alias))
        except ServerProblem as problem:
            if problem.code != "stale-record":
                raise
            refused = problem
        else:
            return
    raise refused


def _read(account: Account, text: str) -> aliases.Alias | None:
    found = (aliases.read(text, sign=key) for key in account.keyring.own_keys)
    return next((alias for alias in found if alias and account.acct in (alias.old, alias.new)), None)


def _stored(settings: Settings) -> list[str]:
    entry = settings.settings.get(ALIASES)
    return entry.value.split() if entry is not None and isinstance(entry.value, str) else []


def _with(settings: Settings, *, text: str, at: int) -> Settings:
    known = _stored(settings)
    if text in known:
        return settings
    setting = Setting(value=" ".join([*known, text]), at=at)
    return settings.merge(msgspec.structs.replace(settings, settings={ALIASES: setting}))
