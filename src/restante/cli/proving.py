"""Asking the person once more who they are, where the server wants to know."""

from restante.cli.failures import Missing
from restante.cli.terminal import ask_secret, can_ask
from restante.client.account import Account
from restante.client.profile import PASSPHRASE_VARIABLE, Environment
from restante.client.verification import verify_by_passphrase, verify_by_recovery_code


def prove(account: Account) -> None:
    """Takes recovery code or passphrase from the environment, or asks. Raises Missing or ServerProblem ``sign-in-refused``."""
    environment = Environment.read()
    if environment.recovery_code:
        verify_by_recovery_code(account, environment.recovery_code)
        return
    if environment.passphrase is None and not can_ask():
        raise Missing("your passphrase", hint=f"Run it in a terminal, or set {PASSPHRASE_VARIABLE}.")
    verify_by_passphrase(account, environment.passphrase or ask_secret("Passphrase"))
