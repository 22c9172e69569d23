"""The keyring on the server: fetched, and changed in agreement with other devices (If-Match, merge on 412).

>>> fetched = fetch(account.session)
>>> fetched.sealed.startswith(b"age-encryption.org/v1")
True
"""

from collections.abc import Callable
from dataclasses import dataclass

from restante.client.account import Account
from restante.client.errors import AnswerMalformed, ServerProblem
from restante.client.http import OCTETS, Session
from restante.client.profile import Profile
from restante.crypto.age import X25519Identity
from restante.crypto.errors import KeyringRolledBack
from restante.crypto.keyring import Device, Keyring, check_not_rolled_back, open_keyring, seal_keyring
from restante.crypto.keyring_changes import merge, with_device, without_device
from restante.protocol.limits import KEYRING_BYTES

THING = "keyring"
"""Its name among the revisions that a profile remembers."""
PATH = "/api/v1/account/keyring"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """The sealed keyring and the version to name in If-Match."""

    sealed: bytes
    version: str


def fetch(session: Session) -> Fetched:
    """Gets the current keyring."""
    answer = session.call("GET", PATH, limit=KEYRING_BYTES)
    version = answer.headers.get("etag")
    if not version:
        raise AnswerMalformed("a keyring without a version")
    return Fetched(answer.body, version)


def add(
    session: Session, fetched: Fetched, keyring: Keyring, device: Device, *, acct: str, way: X25519Identity
) -> Keyring:
    """Lets a new device open the keyring; ``way`` opens what other devices store in the meantime."""
    mine = with_device(keyring, device)
    return _put(session, fetched, keyring, mine, acct=acct, opener=way)


def drop(
    session: Session, profile: Profile, opener: X25519Identity, *, keep: Callable[[Device], bool]
) -> Keyring:
    """Takes devices out, so that they open no later keyring. Returns the one that is stored then."""
    identity = profile.signed_in
    fetched = fetch(session)
    base = open_keyring(fetched.sealed, opener, acct=identity.acct, known=identity.sign_key)
    mine = base
    for device in base.devices:
        mine = mine if keep(device) else without_device(mine, device.did)
    if mine != base:
        mine = _put(session, fetched, base, mine, acct=identity.acct, opener=opener)
        profile.raise_rev(THING, mine.rev)
    return mine


def change(account: Account, changed: Callable[[Keyring], Keyring]) -> None:
    """Changes the account's keyring as it is on the server now, and what this device knows of it. Raises KeyringConflict."""
    opener = X25519Identity.parse(account.profile.secrets().identity)
    fetched = fetch(account.session)
    known = account.keyring.signing_key.public
    base = open_keyring(fetched.sealed, opener, acct=account.acct, known=known)
    account.keyring = _put(account.session, fetched, base, changed(base), acct=account.acct, opener=opener)
    account.profile.raise_rev(THING, account.keyring.rev)
    account.profile.note_key(account.keyring.signing_key.public)


def refresh(account: Account) -> bool:
    """Takes over what another device has made of the keyring since; tells whether it did. Raises KeyringError."""
    opener = X25519Identity.parse(account.profile.secrets().identity)
    known = account.keyring.signing_key.public
    newest = open_keyring(fetch(account.session).sealed, opener, acct=account.acct, known=known)
    if newest.rev <= account.keyring.rev:
        return False
    account.keyring = newest
    account.profile.raise_rev(THING, newest.rev)
    account.profile.note_key(newest.signing_key.public)
    return True


def check_rev(account: Account) -> bool:
    """Compares with the highest revision that this device has seen, tells of a rollback, and remembers a rise.

    Tells whether another device has changed the keyring since.
    """
    check_known_rev(account)
    account.profile.raise_rev(THING, account.keyring.rev)
    account.profile.note_key(account.keyring.signing_key.public)
    return account.keyring.rev > account.identity.revs.get(THING, 0)


def check_known_rev(account: Account) -> None:
    """Compares with the highest revision that this device has seen; a rollback is told, not refused."""
    try:
        check_not_rolled_back(account.keyring, highest_rev=account.identity.revs.get(THING, 0))
    except KeyringRolledBack as error:
        account.notice(f"{error}. {error.hint}")


def _put(
    session: Session, fetched: Fetched, base: Keyring, mine: Keyring, *, acct: str, opener: X25519Identity
) -> Keyring:
    known = base.signing_key.public
    for _ in range(_TRIES):
        try:
            headers = {**OCTETS, "if-match": fetched.version}
            session.call("PUT", PATH, content=seal_keyring(mine), headers=headers)
        except ServerProblem as problem:
            if problem.code != "stale-version":
                raise
            refused = problem
        else:
            return mine
        fetched = fetch(session)
        theirs = open_keyring(fetched.sealed, opener, acct=acct, known=known)
        mine, base = merge(base, mine, theirs), theirs  # or what they drop at a next time would come back
    raise refused
