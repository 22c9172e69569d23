"""An account on this device: made, signed in to, opened for use, left.

>>> profile = Profile.at(folder)
>>> new = sign_up(profile, server_url, "alan")
>>> len((new.passphrase or "").split())
6
>>> new.account.close()
>>> sign_out(profile)
>>> sign_in_by_passphrase(profile, server_url, "alan", new.passphrase or "").close()
>>> with open_account(profile) as account:
...     account.acct
'alan@localhost'
"""

import platform
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from restante.client import device_keyring
from restante.client.account import Account, now_ms
from restante.client.admission import NOTHING, Admission, explain_refusal
from restante.client.errors import (
    AlreadySignedIn,
    AnswerMalformed,
    BadName,
    ClientError,
    ServerProblem,
    ServerTooNew,
    Unreachable,
)
from restante.client.http import JSON, Session, checked_url
from restante.client.profile import Identity, Profile
from restante.client.record_chain import fetch_chain
from restante.client.rotation import finish_state_key, keep_keys_fresh
from restante.client.unshown import Unshown, find_unshown, forget_unshown, keep_unshown
from restante.client.vault import Secrets
from restante.client.verification import verified
from restante.crypto import passphrase as passphrases
from restante.crypto import recovery
from restante.crypto.accounts import new_device, new_keyring, new_method
from restante.crypto.age import X25519Identity
from restante.crypto.errors import KeyringForged, KeyringNoMatch
from restante.crypto.kdf import SALT_BYTES, Access, unlock_access
from restante.crypto.keyring import Device, Keyring, MethodType, open_keyring, seal_keyring
from restante.protocol import ijson, wire
from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.names import is_name, is_server_name
from restante.signing import aliases
from restante.signing.keys import SigningKey

PROTOCOL = 1
_DEVICE_LABEL_CHARS = 64
_SESSIONS = "/api/v1/sessions"
_ENDED = ("not-signed-in", "device-removed")


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new account; passphrase (None: one's own) and recovery code are shown once, and stored nowhere afterwards."""

    account: Account
    passphrase: str | None = field(repr=False)
    recovery_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Moved:
    """An account on another server that goes on here, under its signing key."""

    acct: str
    key: SigningKey = field(repr=False)

    def alias_to(self, acct: str) -> bytes:
        """Says, signed, under which address it goes on."""
        return aliases.build(self.key, old=self.acct, new=acct)


@dataclass(frozen=True, slots=True)
class _Way:
    """A way in, as the keyring and the server are told of it."""

    type: MethodType
    access: Access
    salt: bytes | None = None

    @property
    def wire_type(self) -> wire.UnlockType:
        return "passphrase" if self.type is MethodType.PASSPHRASE else "recovery"

    def unlock(self) -> wire.Unlock:
        return wire.Unlock(self.wire_type, b64(self.access.bearer), b64(self.salt) if self.salt else None)


def sign_up(
    profile: Profile,
    url: str,
    name: str,
    *,
    passphrase: str | None = None,
    moved: Moved | None = None,
    admission: Admission = NOTHING,
    show: Callable[[SignedUp], object] = lambda _: None,
) -> SignedUp:
    """Makes keys, a recovery code and, unless one was chosen, a passphrase of six words; then the account.

    ``moved`` goes on from an account on another server; ``admission`` is shown where the server does not let in everybody.
    The secrets are in a private file until ``show`` returns: killed before, the same call shows them, and makes no second
    account. Raises BadName, AlreadySignedIn, UnlockError for a weak passphrase, what ``Admission.checked`` raises,
    ServerProblem (``name-taken``, ``ticket-needed`` …), Unreachable.
    """
    admission = admission.checked()
    signed_up = _made_before(profile, url, name) or _make(
        profile, url, name, passphrase, moved=moved, admission=admission
    )
    with signed_up.account.session.closed_on_error():
        show(signed_up)
    forget_unshown(profile, name)
    return signed_up


def _made_before(profile: Profile, url: str, name: str) -> SignedUp | None:
    """Finds the account of an attempt that ended before its secrets were shown."""
    kept = find_unshown(profile, name) if is_name(name) else None
    if kept is None or kept.server != checked_url(url):
        return None
    identity = profile.identity
    if identity is not None and identity.session_id and identity.name == name:
        return SignedUp(open_account(profile), kept.passphrase, kept.recovery_code)
    try:
        account = sign_in_by_recovery_code(profile, url, name, kept.recovery_code)
    except ServerProblem as problem:
        if problem.code != "sign-in-refused":
            raise
        return None
    return SignedUp(account, kept.passphrase, kept.recovery_code)


def _make(
    profile: Profile,
    url: str,
    name: str,
    passphrase: str | None,
    *,
    moved: Moved | None,
    admission: Admission,
) -> SignedUp:
    _check_before(profile, name)
    if passphrase is not None:
        passphrases.check_chosen(passphrase, name=name)
    session = Session(url)
    with session.closed_on_error():
        return _sign_up(profile, session, name, passphrase, moved=moved, admission=admission)


def _sign_up(
    profile: Profile,
    session: Session,
    name: str,
    chosen: str | None,
    *,
    moved: Moved | None,
    admission: Admission,
) -> SignedUp:
    server = fetch_server(session)
    server_name, ticket = server.server_name, admission.ticket(session)
    salt, code = secrets.token_bytes(SALT_BYTES), recovery.new_code()
    made = passphrases.generate() if chosen is None else None
    unshown = Unshown(session.url, name, made, recovery.write_code(code))
    ways = [
        _Way(MethodType.PASSPHRASE, passphrases.passphrase_access(chosen or made or "", salt=salt), salt),
        _Way(MethodType.RECOVERY_CODE, unlock_access(code)),
    ]
    made_ms, device_key = now_ms(), X25519Identity.generate()
    device = new_device(new_id(Prefix.DEVICE), device_key, label=device_label(), now_ms=made_ms)
    keyring = new_keyring(f"{name}@{server_name}", now_ms=made_ms)
    if moved is not None:
        keyring = msgspec.structs.replace(keyring, sign=b64(moved.key.seed))
    alias = moved.alias_to(keyring.acct) if moved else None
    keyring = msgspec.structs.replace(
        keyring,
        unlock=tuple(new_method(way.type, way.access, label=way.type, now_ms=made_ms) for way in ways),
        devices=(device,),
    )
    keep_unshown(profile, unshown)
    try:
        record = keyring.record(now_ms=made_ms, alias=alias)
        form = _form(name, keyring, ways, record)
        form = msgspec.structs.replace(form, country=admission.country, ticket=ticket)
        signed_in = _create(session, form, ways)
    except ServerProblem as problem:
        forget_unshown(profile, name)
        explain_refusal(problem, server.sign_up)
        raise
    identity = Identity(
        server=session.url,
        server_name=server_name,
        name=name,
        sign=b64(keyring.signing_key.public),
        device_id=device.did,
        session_id=signed_in.session_id,
        revs={device_keyring.THING: keyring.rev},
        record_created=made_ms,
    )
    profile.enter(identity, Secrets(signed_in.token, str(device_key)))
    session.token = signed_in.token
    introduce(session, device.did)
    return SignedUp(Account(profile, session, identity, keyring), made, unshown.recovery_code)


def sign_in_by_passphrase(profile: Profile, url: str, name: str, passphrase: str) -> Account:
    """Signs in and makes this device one that can open the keyring. Raises ServerProblem."""
    _check_before(profile, name)
    session = Session(url)
    with session.closed_on_error():
        salt = session.get(f"/api/v1/sign-in/{name}/salt", wire.Salt).salt
        access = passphrases.passphrase_access(passphrase, salt=_unb64(salt))
        return _sign_in(profile, session, name, _Way(MethodType.PASSPHRASE, access))


def sign_in_by_recovery_code(profile: Profile, url: str, name: str, code: str) -> Account:
    """Signs in by the code of the sign-up. Raises RecoveryCodeTypo before anything is sent."""
    _check_before(profile, name)
    access = unlock_access(recovery.read_code(code))
    session = Session(url)
    with session.closed_on_error():
        return _sign_in(profile, session, name, _Way(MethodType.RECOVERY_CODE, access))


def open_account(profile: Profile, *, url: str | None = None) -> Account:
    """Opens the account that is signed in: fetches the keyring and unlocks it with this device's key.

    ``url`` is used instead of the remembered address, this once.
    """
    identity, kept = profile.signed_in, profile.secrets()
    session = Session(url or identity.server, token=kept.token)
    with session.closed_on_error():
        fetched = device_keyring.fetch(session)
        device_key = X25519Identity.parse(kept.identity)
        keyring = open_keyring(fetched.sealed, device_key, acct=identity.acct, known=identity.sign_key)
        account = Account(profile, session, identity, keyring)
        keep_keys_fresh(account, is_new=device_keyring.check_rev(account))
        finish_state_key(account)
        return account


def sign_out(profile: Profile) -> None:
    """Ends this session and takes this device out of the keyring; what is on the device is forgotten in any case."""
    device_id = profile.signed_in.device_id
    _leave(profile, keep=lambda device: device.did != device_id)


def sign_out_everywhere(profile: Profile, *, verify: Callable[[Session], object]) -> None:
    """Ends every session and takes every device out of the keyring: each has to sign in again.

    ``verify`` shows the server who asks, when it wants to see that; refused there, everything stays as it was. The others'
    sessions end first: one of them could put its device into the keyring anew.
    """
    with Session(profile.signed_in.server, token=profile.secrets().token) as session:
        try:
            verified(lambda: session.call("DELETE", f"{_SESSIONS}/others"), lambda: verify(session))
        except ServerProblem as problem:
            if problem.code not in _ENDED:
                raise
    _leave(profile, keep=lambda _: False)


def _leave(profile: Profile, *, keep: Callable[[Device], bool]) -> None:
    identity = profile.signed_in
    try:
        kept = profile.secrets()
        with Session(identity.server, token=kept.token) as session, suppress(KeyringNoMatch):
            device_keyring.drop(session, profile, X25519Identity.parse(kept.identity), keep=keep)
        with Session(identity.server, token=kept.token) as session:
            session.call("DELETE", f"{_SESSIONS}/current")
    except ServerProblem as problem:
        if problem.code not in _ENDED:
            raise
    finally:
        profile.leave()


def _form(name: str, keyring: Keyring, ways: list[_Way], record: bytes) -> wire.SignUp:
    return wire.SignUp(
        name=name,
        record=b64(record),
        keyring=b64(seal_keyring(keyring)),
        unlock=[way.unlock() for way in ways],
        client="cli",
    )


def _create(session: Session, form: wire.SignUp, ways: list[_Way]) -> wire.SignedIn:
    """Posts the sign-up. When the answer is lost, a sign-in by the new bearer tells whether it was done."""
    try:
        return session.post("/api/v1/accounts", form, wire.SignedIn)
    except Unreachable:
        try:
            return _post_sign_in(session, form.name, ways[0])
        except ServerProblem as problem:
            if problem.code != "sign-in-refused":
                raise
            return session.post("/api/v1/accounts", form, wire.SignedIn)


def _sign_in(profile: Profile, session: Session, name: str, way: _Way) -> Account:
    server_name = fetch_server_name(session)
    signed_in = _post_sign_in(session, name, way)
    session.token = signed_in.token
    acct = f"{name}@{server_name}"
    known = known_identity(profile, acct)
    fetched = device_keyring.fetch(session)
    keyring = open_keyring(
        fetched.sealed, way.access.identity, acct=acct, known=known.sign_key if known else None
    )
    if fetch_chain(session, name, acct)[-1].sign not in keyring.own_keys:
        raise KeyringForged
    device_key = X25519Identity.generate()
    identity = Identity(
        server=session.url,
        server_name=server_name,
        name=name,
        sign=b64(keyring.signing_key.public),
        device_id=new_id(Prefix.DEVICE),
        session_id=signed_in.session_id,
        revs=known.revs if known else {},
    )
    account = Account(profile, session, identity, keyring)
    device_keyring.check_known_rev(account)
    device = new_device(identity.device_id, device_key, label=device_label(), now_ms=now_ms())
    account.keyring = device_keyring.add(
        session, fetched, keyring, device, acct=acct, way=way.access.identity
    )
    profile.enter(identity, Secrets(signed_in.token, str(device_key)))
    profile.raise_rev(device_keyring.THING, account.keyring.rev)
    introduce(session, identity.device_id)
    return account


def introduce(session: Session, device_id: str) -> None:
    """Tells the server which device of the keyring this session is, so that both can be removed together.

    What the machine is called stands in the keyring, sealed. Without this it works too: the list is only less clear.
    """
    body = ijson.encode(wire.Introduction(label="", device=device_id))
    with suppress(ClientError):
        session.call_once("PUT", "/api/v1/sessions/current", content=body, headers=JSON)


def _post_sign_in(session: Session, name: str, way: _Way) -> wire.SignedIn:
    body = wire.SignIn(name=name, type=way.wire_type, bearer=b64(way.access.bearer), client="cli")
    return session.post("/api/v1/sign-in", body, wire.SignedIn)


def known_identity(profile: Profile, acct: str) -> Identity | None:
    """Returns what this profile remembers of that very account."""
    identity = profile.identity
    return identity if identity and identity.acct == acct else None


def _check_before(profile: Profile, name: str) -> None:
    if not is_name(name):
        raise BadName
    check_signed_out(profile)


def check_signed_out(profile: Profile) -> None:
    """Refuses a profile in which somebody is signed in. Raises AlreadySignedIn."""
    identity = profile.identity
    if identity is not None and identity.session_id:
        raise AlreadySignedIn(identity.acct)


def fetch_server(session: Session) -> wire.ServerInfo:
    """Asks the server who it is. Raises ServerTooNew or AnswerMalformed."""
    info = session.get("/api/v1/server", wire.ServerInfo)
    if PROTOCOL not in info.protocol:
        raise ServerTooNew
    if not is_server_name(info.server_name):
        raise AnswerMalformed("the server's name")
    return info


def fetch_server_name(session: Session) -> str:
    """Asks the server for the right side of its accounts' addresses. Raises ServerTooNew or AnswerMalformed."""
    return fetch_server(session).server_name


def _unb64(text: str) -> bytes:
    try:
        return unb64(text)
    except ValueError as error:
        raise AnswerMalformed("a salt") from error


def device_label() -> str:
    """Returns what this machine calls itself."""
    return (platform.node() or "command line")[:_DEVICE_LABEL_CHARS]
