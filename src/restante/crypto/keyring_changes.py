"""Changes of a keyring, and their merge when two devices change it at once (PUT answered 412).

Each change is a new keyring with the next ``rev``; nothing is changed in place.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

import msgspec

from restante.crypto.age import X25519Identity
from restante.crypto.errors import KeyringConflict
from restante.crypto.keyring import Device, EncryptionIdentity, Keyring, Method
from restante.protocol import ijson
from restante.protocol.encoding import b64
from restante.signing import successions
from restante.signing.keys import SigningKey

T = TypeVar("T")
E = TypeVar("E", bound=msgspec.Struct)


def with_method(keyring: Keyring, method: Method) -> Keyring:
    """Adds an unlock method, in place of one with the same ``mid``."""
    others = tuple(entry for entry in keyring.unlock if entry.mid != method.mid)
    return _changed(keyring, unlock=(*others, method))


def without_method(keyring: Keyring, mid: str) -> Keyring:
    """Drops an unlock method."""
    return _changed(keyring, unlock=tuple(entry for entry in keyring.unlock if entry.mid != mid))


def with_device(keyring: Keyring, device: Device) -> Keyring:
    """Adds a device, in place of one with the same ``did``."""
    others = tuple(entry for entry in keyring.devices if entry.did != device.did)
    return _changed(keyring, devices=(*others, device))


def without_device(keyring: Keyring, did: str) -> Keyring:
    """Drops a device: it can open no later keyring."""
    return _changed(keyring, devices=tuple(entry for entry in keyring.devices if entry.did != did))


def with_encryption_identity(keyring: Keyring, identity: EncryptionIdentity) -> Keyring:
    """Rotates: the new identity is published, the earlier ones only open what was sealed to them."""
    others = (entry for entry in keyring.enc if entry.id != identity.id)
    retired = tuple(msgspec.structs.replace(entry, retired=True) for entry in others)
    return _changed(keyring, enc=(*retired, identity))


def with_signing_key(keyring: Keyring, key: SigningKey, *, now_ms: int) -> Keyring:
    """Rotates the signing key: the old one says which follows it, and is forgotten."""
    succession = successions.build(keyring.signing_key, keyring.acct, new=key.public, now_ms=now_ms)
    led = (*(keyring.successions or ()), b64(succession))
    return _changed(keyring, sign=b64(key.seed), successions=led)


def with_state_key(keyring: Keyring, identity: X25519Identity) -> Keyring:
    """Rotates the state key: the old one opens shards until each is sealed to the new one (``without_former_states``)."""
    former = (*(keyring.former_states or ()), keyring.state)
    return _changed(keyring, state=str(identity), former_states=former)


def without_former_states(keyring: Keyring, done: Collection[str]) -> Keyring:
    """Forgets earlier state keys to which no shard is sealed any more."""
    return _changed(keyring, former_states=_some(set(keyring.former_states or ()) - set(done)))


def merge(base: Keyring, mine: Keyring, theirs: Keyring) -> Keyring:
    """Merges two changes of ``base`` and takes the next rev.

    What one side added or dropped, stays so; a drop wins over a change. Raises KeyringConflict when both changed
    the signing key or the state key, and differently.
    """
    return Keyring(
        rev=max(mine.rev, theirs.rev) + 1,
        acct=base.acct,
        sign=_secret(base.sign, mine.sign, theirs.sign),
        state=_secret(base.state, mine.state, theirs.state),
        enc=_entries(base.enc, mine.enc, theirs.enc, _enc_id, _join_identities),
        unlock=_entries(base.unlock, mine.unlock, theirs.unlock, lambda entry: entry.mid, _larger),
        devices=_entries(base.devices, mine.devices, theirs.devices, lambda entry: entry.did, _larger),
        successions=theirs.successions if mine.sign == base.sign else mine.successions,
        former_states=_some(
            (_names(mine) & _names(theirs)) | ((_names(mine) | _names(theirs)) - _names(base))
        ),
    )


def _changed(keyring: Keyring, **fields: object) -> Keyring:
    return msgspec.structs.replace(keyring, rev=keyring.rev + 1, **fields)


def _names(keyring: Keyring) -> set[str]:
    return set(keyring.former_states or ())


def _some(names: set[str]) -> tuple[str, ...] | msgspec.UnsetType:
    return tuple(sorted(names)) or msgspec.UNSET


def _secret(base: str, mine: str, theirs: str) -> str:
    if base not in (mine, theirs) and mine != theirs:
        raise KeyringConflict
    return theirs if mine == base else mine


def _entries(
    base: Iterable[E],
    mine: Iterable[E],
    theirs: Iterable[E],
    key: Callable[[E], str],
    join: Callable[[E, E], E],
) -> tuple[E, ...]:
    b, m, t = ({key(entry): entry for entry in side} for side in (base, mine, theirs))
    names = sorted({*b, *m, *t})
    merged = (_entry(b.get(name), m.get(name), t.get(name), join) for name in names)
    return tuple(entry for entry in merged if entry is not None)


def _entry(base: T | None, mine: T | None, theirs: T | None, join: Callable[[T, T], T]) -> T | None:
    if mine == base:
        return theirs
    if theirs in (base, mine):
        return mine
    return join(mine, theirs) if mine is not None and theirs is not None else None


def _enc_id(entry: EncryptionIdentity) -> str:
    return entry.id


def _join_identities(mine: EncryptionIdentity, theirs: EncryptionIdentity) -> EncryptionIdentity:
    """Keeps the narrower use; the secret of one id never changes, so a difference there is a conflict."""
    if mine.identity != theirs.identity:
        raise KeyringConflict
    return EncryptionIdentity(
        id=mine.id,
        identity=mine.identity,
        from_=max(mine.from_, theirs.from_),
        until=min(mine.until, theirs.until),
        retired=mine.retired or theirs.retired,
    )


def _larger(mine: E, theirs: E) -> E:
    return max(mine, theirs, key=ijson.encode)
