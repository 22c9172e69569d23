"""A signed-in account, unlocked on this device: what every other module of the client works with.

>>> account.acct == f"{account.identity.name}@{account.identity.server_name}"
True
>>> account.me.owns(account.acct)
True
"""

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from restante.client.http import Session
from restante.client.profile import Identity, Profile
from restante.crypto.keyring import Keyring
from restante.crypto.receiving import Me


@dataclass(slots=True)
class Account:
    """``notices`` collects what a person should know though it stops nothing."""

    profile: Profile
    session: Session
    identity: Identity
    keyring: Keyring = field(repr=False)
    notices: list[str] = field(default_factory=list)

    @property
    def acct(self) -> str:
        """The account's address."""
        return self.identity.acct

    @property
    def me(self) -> Me:
        """Who receives."""
        return Me(self.acct, self.keyring.own_keys)

    def notice(self, text: str) -> None:
        """Keeps a sentence for the person, once."""
        if text not in self.notices:
            self.notices.append(text)

    def close(self) -> None:
        """Closes the connections."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def now_ms() -> int:
    """Returns Unix milliseconds."""
    return time.time_ns() // 1_000_000
