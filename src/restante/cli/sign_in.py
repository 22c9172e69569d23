"""`restante sign-in`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common
from restante.cli.terminal import ask_secret, can_ask, put, put_json, say
from restante.client.accounts import sign_in_by_passphrase, sign_in_by_recovery_code
from restante.client.profile import PASSPHRASE_VARIABLE, RECOVERY_CODE_VARIABLE, Environment


def sign_in(
    name: str,
    *,
    recovery_code: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Signs in on this device.

    The passphrase is asked for, or taken from RESTANTE_PASSPHRASE; or the recovery code, from RESTANTE_RECOVERY_CODE. An
    account that only has passkeys is entered by its recovery code, or by restante pair.

    Args:
        name: the account's name.
        recovery_code: asks for the recovery code instead of the passphrase.
        common: options of every command.
    """
    environment, profile = Environment.read(), common.open_profile()
    server = common.server_of(profile)
    if recovery_code or environment.recovery_code:
        code = environment.recovery_code or _ask("Recovery code", RECOVERY_CODE_VARIABLE)
        account = sign_in_by_recovery_code(profile, server, name, code)
    else:
        passphrase = environment.passphrase or _ask("Passphrase", PASSPHRASE_VARIABLE)
        account = sign_in_by_passphrase(profile, server, name, passphrase)
    account.close()
    for notice in account.notices:
        say(f"warning: {notice}")
    for_machines = {"name": name, "acct": account.acct, "server": account.identity.server}
    if common.json:
        put_json(for_machines)
    else:
        put(account.acct)


def _ask(what: str, variable: str) -> str:
    if not can_ask():
        raise Missing(f"the {what.lower()}", hint=f"Run it in a terminal, or set {variable}.")
    return ask_secret(what)
