"""What every client command shares: options, the profile, the account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.terminal import say
from restante.client.account import Account
from restante.client.accounts import open_account
from restante.client.profile import Environment, Profile


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Common:
    """Options of every command."""

    server: Annotated[
        str | None, Parameter(help="Address of the server; remembered at sign-up and sign-in.")
    ] = None
    profile: Annotated[
        Path | None, Parameter(help="Folder of the account's local keys (or RESTANTE_PROFILE).")
    ] = None
    json: Annotated[bool, Parameter(help="Answers in JSON.", negative="")] = False

    def open_profile(self) -> Profile:
        """Opens the folder that was chosen, here or in the environment."""
        return Profile.at(self.profile or Environment.read().profile)

    def server_of(self, profile: Profile) -> str:
        """Returns the address to sign up or in at. Raises Missing."""
        identity = profile.identity
        if self.server is None and identity is None:
            raise Missing("the address of the server", hint="--server https://post.example")
        return self.server or (identity.server if identity else "")


DEFAULT = Common()


@contextmanager
def using_account(common: Common) -> Iterator[Account]:
    """Opens the account, and at the end tells the person what was noticed on the way."""
    with open_account(common.open_profile(), url=common.server) as account:
        try:
            yield account
        finally:
            for notice in account.notices:
                say(f"warning: {notice}")
