"""`restante sign-up`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common
from restante.cli.terminal import ask_secret, can_ask, put_json, put_table, say
from restante.client.accounts import sign_up as make_account
from restante.client.profile import PASSPHRASE_VARIABLE, Environment


def sign_up(
    name: str,
    *,
    passphrase: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Makes an account, its keys and its recovery code, and signs in on this device.

    Args:
        name: 3 to 32 of a-z, 0-9, _ and -.
        passphrase: asks for a passphrase of your own; without it, six words are made and shown.
        common: options of every command.
    """
    chosen = _ask_twice() if passphrase else Environment.read().passphrase
    profile = common.open_profile()
    new = make_account(profile, common.server_of(profile), name, passphrase=chosen)
    new.account.close()
    made = None if chosen is not None else new.passphrase
    if common.json:
        identity = new.account.identity
        put_json(
            {
                "name": name,
                "acct": identity.acct,
                "server": identity.server,
                "passphrase": made,
                "recovery_code": new.recovery_code,
            }
        )
    else:
        secrets = [["passphrase", made]] if made else []
        put_table([["account", new.account.acct], *secrets, ["recovery code", new.recovery_code]])
    say("Write this down and keep it safe: it is shown only now, and nobody can restore it for you.")


def _ask_twice() -> str:
    if not can_ask():
        raise Missing("a terminal to ask for the passphrase", hint=f"Set {PASSPHRASE_VARIABLE} instead.")
    first = ask_secret("New passphrase")
    if ask_secret("Again") != first:
        raise Missing("the same passphrase twice", hint="Try again.")
    return first
