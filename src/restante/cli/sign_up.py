"""`restante sign-up`."""

from functools import partial
from random import SystemRandom
from typing import Annotated

from cyclopts import Parameter

from restante.cli.admitted import NOTHING, Admitted
from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common
from restante.cli.terminal import ask, ask_secret, can_ask, put_json, put_table, say
from restante.client.accounts import SignedUp
from restante.client.accounts import sign_up as make_account
from restante.client.profile import PASSPHRASE_VARIABLE, Environment

_PROVED_GROUPS = 2
_FORGIVEN = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def sign_up(
    name: str,
    *,
    passphrase: Annotated[bool, Parameter(negative="")] = False,
    admitted: Admitted = NOTHING,
    common: Common = DEFAULT,
) -> None:
    """Makes an account, its keys and its recovery code, and signs in on this device.

    Broken off before the secrets were shown, the same command shows them.

    Args:
        name: 3 to 32 of a-z, 0-9, _ and -.
        passphrase: asks for a passphrase of your own; without it, six words are made and shown.
        admitted: what lets you in where the server does not let in everybody.
        common: options of every command.
    """
    chosen = _ask_twice() if passphrase else Environment.read().passphrase
    profile = common.open_profile()
    show = partial(show_new, chosen=chosen, common=common)
    url, admission = common.server_of(profile), admitted.admission
    make_account(profile, url, name, passphrase=chosen, admission=admission, show=show).account.close()


def show_new(new: SignedUp, *, chosen: str | None, common: Common) -> None:
    """Shows the secrets, once; a person at a terminal proves that they are written down."""
    identity = new.account.identity
    if common.json:
        put_json(
            {
                "name": identity.name,
                "acct": identity.acct,
                "server": identity.server,
                "passphrase": new.passphrase,
                "recovery_code": new.recovery_code,
            }
        )
    else:
        secrets = [["passphrase", new.passphrase]] if new.passphrase else []
        put_table([["account", identity.acct], *secrets, ["recovery code", new.recovery_code]])
    if chosen is not None and new.passphrase is not None:
        say("warning: This account was made before, with the passphrase that is shown; yours is not used.")
    say("Write this down and keep it safe: it is shown only now, and nobody can restore it for you.")
    if can_ask() and not common.json:
        _prove(new.recovery_code)


def _prove(code: str) -> None:
    """Asks for two groups of the code, until they are right or the person does not want to."""
    groups = code.split("-")[:-1]
    for number in sorted(SystemRandom().sample(range(len(groups)), _PROVED_GROUPS)):
        while (typed := ask(f"Group {number + 1} of the recovery code (Enter skips)")) and not _same(
            typed, groups[number]
        ):
            say(f"That is not group {number + 1}. Look again: it begins with {groups[number][0]}.")
        if not typed:
            say("warning: Without the recovery code, a forgotten passphrase closes this account for good.")
            return
    say("Right.")


def _same(typed: str, group: str) -> bool:
    """Compares as a recovery code is read: any case, I and L for 1, O for 0."""
    return typed.upper().translate(_FORGIVEN) == group


def _ask_twice() -> str:
    if not can_ask():
        raise Missing("a terminal to ask for the passphrase", hint=f"Set {PASSPHRASE_VARIABLE} instead.")
    first = ask_secret("New passphrase")
    if ask_secret("Again") != first:
        raise Missing("the same passphrase twice", hint="Try again.")
    return first
