"""Options of whatever makes an account: what lets somebody in where the server does not let in everybody."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.terminal import ask, can_ask, say
from restante.client.admission import Admission
from restante.protocol.wire_push import Language

_CODE = re.compile(r"[0-9]{8}\Z")


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Admitted:
    """What lets a sign-up in."""

    invite: Annotated[str | None, Parameter(help="Code or link of an invite of the operator's.")] = None
    mail: Annotated[
        str | None,
        Parameter(help="Your address of the operator's domains; a code is sent there and asked for."),
    ] = None
    country: Annotated[
        str | None, Parameter(help="Where you are at home: two letters, such as GB; noted with the account.")
    ] = None

    @property
    def admission(self) -> Admission:
        """As the library takes it. Raises Missing where a code could not be asked for."""
        if self.mail is not None and self.invite is None and not can_ask():
            raise Missing("a terminal to ask for the code that is sent", hint="Run it in a terminal.")
        return Admission(self.invite, self.mail, self.country, language_of(os.environ), _ask)


NOTHING = Admitted()


def language_of(environ: Mapping[str, str]) -> Language:
    """The language of the person, as the terminal has it, among those that mail is written in."""
    said = next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "fr" if said.lower().startswith("fr") else "en"


def _ask(mail: str, *, again: bool) -> str:
    if again:
        say("That is not the code of the newest mail, or its time is over.")
    while not _CODE.match(code := "".join(ask(f"Code that was sent to {mail} (8 digits)").split())):
        if not code:
            raise Missing("the code that was sent", hint="Run it again: another one is sent.")
        say("A code has 8 digits.")
    return code
