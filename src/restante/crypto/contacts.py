"""What an account knows of others, in a form whose copies on several devices always merge to the same.

Each contact is a handful of registers. A register with ``at`` keeps the later entry, ties by the larger encoding;
the pin keeps the later era, then the higher rev. So a merge is commutative, associative and idempotent.
Implements docs/protocol/keyring-and-state.md, "Shards".
"""

from enum import StrEnum
from typing import TypeVar

import msgspec

from restante.crypto.fields import Millis, Name
from restante.crypto.pins import Pin
from restante.protocol import ijson


class RequestState(StrEnum):
    """How far the acquaintance with somebody who wrote first has come."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The signing key whose safety number was compared; null takes the mark back."""

    sign: str | None
    at: Millis


class PetName(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner calls the contact."""

    value: Name | None
    at: Millis


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """Whether messages of this account are hidden."""

    value: bool
    at: Millis


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stranger stands."""

    state: RequestState
    at: Millis


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is known of one account."""

    pin: Pin | None = None
    verified: Verified | None = None
    name: PetName | None = None
    blocked: Blocked | None = None
    request: Request | None = None

    @property
    def is_verified(self) -> bool:
        """Tells whether the safety number was compared for the key that is pinned now."""
        return bool(self.pin and self.verified and self.verified.sign == self.pin.sign)

    @property
    def is_listed(self) -> bool:
        """Tells whether the owner wants to see this account among the contacts."""
        return not self.is_blocked and not (self.request and self.request.state is RequestState.DECLINED)

    @property
    def is_request(self) -> bool:
        """Tells whether this account wrote first and the owner has not decided about it."""
        return not self.is_blocked and bool(self.request and self.request.state is RequestState.PENDING)

    @property
    def is_accepted(self) -> bool:
        """Tells whether the owner accepted this account, and did not block it since."""
        return not self.is_blocked and bool(self.request and self.request.state is RequestState.ACCEPTED)

    @property
    def is_blocked(self) -> bool:
        """Tells whether the owner blocked this account."""
        return bool(self.blocked and self.blocked.value)


Register = TypeVar("Register", Verified, PetName, Blocked, Request)


def join_contacts(one: Contact, other: Contact) -> Contact:
    """Merges two copies of a contact."""
    return Contact(
        pin=_join_pins(one.pin, other.pin),
        verified=_later(one.verified, other.verified),
        name=_later(one.name, other.name),
        blocked=_later(one.blocked, other.blocked),
        request=_later(one.request, other.request),
    )


def _join_pins(one: Pin | None, other: Pin | None) -> Pin | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=Pin.order)


def _later(one: Register | None, other: Register | None) -> Register | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda entry: (entry.at, ijson.encode(entry)))
