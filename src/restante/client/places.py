"""Where an account is signed in: the server's sessions and the keyring's devices in one list, and how one is removed.

>>> [place.is_current for place in list_places(account)]
[True]

A removed device is refused by the server at once, and opens no later keyring.
"""

from collections.abc import Callable
from dataclasses import dataclass

from restante.client import device_keyring
from restante.client.account import Account
from restante.client.errors import PlaceIsHere, PlaceUnknown, ServerProblem
from restante.crypto.age import X25519Identity
from restante.crypto.keyring import Device
from restante.protocol import wire


@dataclass(frozen=True, slots=True)
class Place:
    """A session, a device that can open the keyring, or both.

    ``label`` is the owner's keyring's word, else the session's own; ``kind`` is None for a device that is not signed in.
    """

    label: str
    kind: wire.ClientKind | None
    session_id: str | None
    device_id: str | None
    since: int
    used_at: int | None
    is_current: bool

    @property
    def id(self) -> str:
        """By what it is named."""
        return self.session_id or self.device_id or ""


def list_places(account: Account) -> list[Place]:
    """Lists where the account is signed in, the place used last first; then devices that only open the keyring."""
    sessions = account.session.get("/api/v1/sessions", wire.Sessions).items
    devices = {device.did: device for device in account.keyring.devices}
    signed_in = [_of_session(session, devices.get(session.device or "")) for session in sessions]
    seen = {place.device_id for place in signed_in}
    return signed_in + [_of_device(device) for did, device in devices.items() if did not in seen]


def find_place(account: Account, begins: str) -> Place:
    """Finds the place whose id begins like this, or has this number. Raises PlaceUnknown."""
    places = list_places(account)
    if begins.isascii() and begins.isdigit() and 0 < int(begins) <= len(places):
        return places[int(begins) - 1]
    found = [place for place in places if begins and place.id.startswith(begins)]
    if len(found) != 1:
        raise PlaceUnknown(begins)
    return found[0]


def remove_place(account: Account, place: Place) -> None:
    """Ends its session, then takes its device out of the keyring. Raises PlaceIsHere.

    The session first: a device in hostile hands could put itself into the keyring anew as long as it is let in.
    """
    if place.is_current:
        raise PlaceIsHere
    if place.session_id is not None:
        _end(account, place.session_id)
    if place.device_id is not None:
        _drop(account, keep=lambda device: device.did != place.device_id)


def remove_other_places(account: Account) -> None:
    """Leaves this device only."""
    _end(account, "others")
    here = account.identity.device_id
    _drop(account, keep=lambda device: device.did == here)


def _end(account: Account, session_id: str) -> None:
    try:
        account.session.call("DELETE", f"/api/v1/sessions/{session_id}")
    except ServerProblem as problem:
        if problem.code != "not-found":  # it has ended by itself
            raise


def _drop(account: Account, *, keep: Callable[[Device], bool]) -> None:
    opener = X25519Identity.parse(account.profile.secrets().identity)
    account.keyring = device_keyring.drop(account.session, account.profile, opener, keep=keep)


def _of_session(session: wire.Session, device: Device | None) -> Place:
    return Place(
        label=device.label if device else session.label,
        kind=session.client,
        session_id=session.id,
        device_id=device.did if device else None,
        since=session.created_at,
        used_at=session.last_seen_at,
        is_current=session.current,
    )


def _of_device(device: Device) -> Place:
    return Place(device.label, None, None, device.did, device.created, None, is_current=False)
