"""What the room and its callers hand to each other."""

from dataclasses import dataclass

from restante.server.errors import Refusal
from restante.server.passkeys.origins import Origin


class PasskeyRefused(Refusal):
    """The one answer to everything that is wrong with a passkey; ``reason`` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__("passkey-refused")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What was asked of an authenticator, and where."""

    challenge: bytes
    origin: Origin
    user_handle: bytes = b""
    name: str | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey as it is stored."""

    account_id: int
    mid: str
    credential_id: bytes
    public_key: bytes
    user_handle: bytes
    rp_id: str
    sign_count: int
    backup_eligible: bool


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that was found right, not yet stored."""

    credential_id: bytes
    public_key: bytes
    user_handle: bytes
    rp_id: str
    sign_count: int
    backup_eligible: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A passkey that was shown, checked: whose it is, and what is to be noted when it is taken."""

    name: str
    passkey: Passkey
    sign_count: int
