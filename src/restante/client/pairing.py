r"""Pairing this machine with an account: a browser that is signed in approves, and no secret moves.

>>> shown_label("desk\nby the window")
'desk by the window'

The machine makes an identity and shows an address; the recipient stands in its fragment, which no browser sends, so that the
server neither learns nor replaces it. Whoever approves compares six words, seals the account's keyring to the machine too,
and the machine, which polls as RFC 8628 has it, gets session and keyring.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from restante.client import device_keyring
from restante.client.account import Account
from restante.client.accounts import (
    check_signed_out,
    device_label,
    fetch_server_name,
    known_identity,
)
from restante.client.errors import AnswerMalformed, ClientError, ServerProblem, Unreachable
from restante.client.http import Session, is_passing, retry_after_s
from restante.client.profile import Identity, Profile
from restante.client.record_chain import fetch_chain
from restante.client.vault import Secrets
from restante.crypto.age import X25519Identity
from restante.crypto.errors import KeyringForged
from restante.crypto.keyring import Keyring, open_keyring
from restante.crypto.pairing import pairing_words
from restante.protocol import wire
from restante.protocol.encoding import b64
from restante.protocol.names import is_name

SLOWER_BY_S = 5
LONGEST_WAIT_S = 60
_PENDING, _SLOW_DOWN = "authorization-pending", "slow-down"


@dataclass(frozen=True, slots=True)
class Asking:
    """What the person is shown: where to approve, and the words by which to know this machine there."""

    address: str
    words: tuple[str, ...]
    label: str
    expires_at: int


def pair(
    profile: Profile,
    url: str,
    *,
    show: Callable[[Asking], object],
    label: str | None = None,
    wait: Callable[[float], object] = time.sleep,
) -> Account:
    """Asks, shows, and waits until somebody approves.

    Raises AlreadySignedIn, ServerProblem (``pairing-refused``, ``pairing-expired`` …), Unreachable.
    """
    check_signed_out(profile)
    session = Session(url)
    with session.closed_on_error():
        server_name = fetch_server_name(session)
        device_key, called = X25519Identity.generate(), shown_label(label or device_label())
        recipient = str(device_key.recipient())
        begun = session.post("/api/v1/pairings", wire.NewPairing(called), wire.Pairing)
        address = f"{session.url}/pair#{begun.lookup}.{recipient}"
        show(Asking(address, pairing_words(recipient), called, begun.expires_at))
        session.token, signed_in = "", _collect(session, begun, wait)
        session.token = signed_in.token
        try:
            return _enter(profile, session, signed_in, device_key, server_name=server_name)
        except BaseException:
            with suppress(ClientError):  # it would be a session that nobody uses
                session.call_once("DELETE", "/api/v1/sessions/current")
            raise


def shown_label(label: str) -> str:
    """Makes a machine's name fit to be shown elsewhere: printable, at most 64 characters."""
    printable = "".join(character if character.isprintable() else " " for character in label)
    return " ".join(printable.split())[:64] or "command line"


def _collect(session: Session, begun: wire.Pairing, wait: Callable[[float], object]) -> wire.SignedIn:
    """Polls at the server's pace, slower when it is told so or gets no answer."""
    interval_s = float(max(1, begun.interval))
    while True:
        wait(interval_s)
        try:
            return session.post("/api/v1/pairings/poll", wire.PairingPoll(begun.device_code), wire.SignedIn)
        except Unreachable:
            if interval_s >= LONGEST_WAIT_S:
                raise
            interval_s *= 2
        except ServerProblem as problem:
            if problem.code == _SLOW_DOWN:
                interval_s = max(interval_s + SLOWER_BY_S, retry_after_s(problem))
            elif problem.code != _PENDING and not is_passing(problem):
                raise
            else:
                interval_s = max(interval_s, min(retry_after_s(problem), LONGEST_WAIT_S))


def _enter(
    profile: Profile,
    session: Session,
    signed_in: wire.SignedIn,
    device_key: X25519Identity,
    *,
    server_name: str,
) -> Account:
    """Opens the keyring with this machine's own key, and remembers account and session."""
    name, _, server = signed_in.acct.partition("@")
    if not is_name(name) or server != server_name:
        raise AnswerMalformed("an account's address")
    known = known_identity(profile, signed_in.acct)
    fetched = device_keyring.fetch(session)
    keyring = open_keyring(
        fetched.sealed, device_key, acct=signed_in.acct, known=known.sign_key if known else None
    )
    if fetch_chain(session, name, signed_in.acct)[-1].sign not in keyring.own_keys:
        raise KeyringForged
    identity = Identity(
        server=session.url,
        server_name=server_name,
        name=name,
        sign=b64(keyring.signing_key.public),
        device_id=_device_id(keyring, str(device_key.recipient())),
        session_id=signed_in.session_id,
        revs=known.revs if known else {},
    )
    account = Account(profile, session, identity, keyring)
    device_keyring.check_known_rev(account)
    profile.enter(identity, Secrets(signed_in.token, str(device_key)))
    profile.raise_rev(device_keyring.THING, keyring.rev)
    return account


def _device_id(keyring: Keyring, recipient: str) -> str:
    for device in keyring.devices:
        if device.recipient == recipient:
            return device.did
    raise AnswerMalformed("a keyring that does not name this device")
