"""New keys: the account record once a month, the encryption identity once a year and when asked, signing and state key when asked.

    >>> before = account.keyring.signing_key.public
    >>> rotate(account, signing=True)
    >>> account.keyring.own_keys[1] == before
    True

The keyring is stored first, the record that publishes it after it: interrupted between the two, whichever device opens the
account next publishes it. The old signing key says which one follows it, so that contacts and other devices go along.
"""

from datetime import timedelta

import msgspec

from restante.client import device_keyring
from restante.client.account import Account, now_ms
from restante.client.errors import ServerProblem
from restante.client.record_chain import fetch_chain
from restante.client.shards import reseal_shards
from restante.client.verification import VERIFICATION_NEEDED
from restante.crypto.accounts import new_encryption_identity
from restante.crypto.age import X25519Identity
from restante.crypto.errors import KeyringForged
from restante.crypto.keyring import Keyring
from restante.crypto.keyring_changes import (
    with_encryption_identity,
    with_signing_key,
    with_state_key,
    without_former_states,
)
from restante.protocol import ijson, wire
from restante.protocol.encoding import b64
from restante.signing.keys import SigningKey
from restante.signing.records import Record

_MILLISECOND = timedelta(milliseconds=1)
RENEW_AFTER = timedelta(days=30)
ROTATE_AFTER = timedelta(days=365)
_TRIES = 3


def keep_keys_fresh(account: Account, *, is_new: bool = False) -> None:
    """Publishes what is due: about monthly, and when ``is_new`` tells that another device has changed the keyring."""
    if not is_new and now_ms() - account.identity.record_created < RENEW_AFTER // _MILLISECOND:
        return
    try:
        if is_new or not _is_old(account.keyring):
            publish(account)
        else:
            rotate(account)
    except ServerProblem as problem:
        if problem.code != VERIFICATION_NEEDED:
            raise
        account.profile.note_record(0)
        account.notice("Your new signing key is not published yet: restante rotate finishes it")


def rotate(account: Account, *, signing: bool = False) -> None:
    """Makes a new encryption identity, and with ``signing`` new signing and state keys; the old ones open and prove what was before.

    Raises ServerProblem (``verification-needed`` for a signing key) or KeyringConflict.
    """
    if signing:
        publish(account)  # a key that nobody knows yet could not be followed by another one
    account.profile.note_record(0)  # interrupted from here on, the next command publishes
    device_keyring.change(account, lambda keyring: _rotated(keyring, signing=signing))
    finish_state_key(account)
    publish(account)


def finish_state_key(account: Account) -> None:
    """Seals what is still sealed to former state keys to the present one, and forgets them; any device finishes it."""
    former = account.keyring.former_states or ()
    if former:
        reseal_shards(account)
        device_keyring.change(account, lambda keyring: without_former_states(keyring, former))


def publish(account: Account) -> None:
    """Signs the next record, if the keys are others than the last one's or it is a month old, and stores it."""
    for _ in range(_TRIES):
        last = fetch_chain(account.session, account.identity.name, account.acct)[-1]
        record = _next(account.keyring, last)
        created = now_ms() if record else last.fields.created
        try:
            if record:
                put_record(account, record)
        except ServerProblem as problem:
            if problem.code != "stale-record":
                raise
            refused = problem
        else:
            account.profile.note_record(created)
            account.identity = msgspec.structs.replace(account.identity, record_created=created)
            return
    raise refused


def _rotated(keyring: Keyring, *, signing: bool) -> Keyring:
    at = now_ms()
    rotated = with_encryption_identity(keyring, new_encryption_identity(now_ms=at))
    if not signing:
        return rotated
    signed = with_signing_key(rotated, SigningKey.generate(), now_ms=at)
    return with_state_key(signed, X25519Identity.generate())


def _next(keyring: Keyring, last: Record) -> bytes | None:
    is_mine = last.sign == keyring.signing_key.public
    succession = None if is_mine else keyring.succession_from(last.sign)
    if not is_mine and succession is None:
        raise KeyringForged
    current = {entry.id for entry in keyring.enc if not entry.retired}
    is_young = now_ms() - last.fields.created < RENEW_AFTER // _MILLISECOND
    if is_mine and is_young and {key.id for key in last.fields.enc} == current:
        return None
    return keyring.record(now_ms=now_ms(), previous=last, succession=succession)


def put_record(account: Account, record: bytes) -> None:
    """Stores the account's next record. Raises ServerProblem (``stale-record``)."""
    body = ijson.encode(wire.PutRecord(b64(record)))
    headers = {"content-type": "application/json"}
    account.session.call("PUT", "/api/v1/account/record", content=body, headers=headers)


def _is_old(keyring: Keyring) -> bool:
    newest = max(entry.from_ for entry in keyring.enc if not entry.retired)
    return now_ms() - newest >= ROTATE_AFTER // _MILLISECOND
