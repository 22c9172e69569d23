"""Asks for the passphrase or the recovery code, when the server wants to see anew who somebody is."""

from restante.cli.failures import Missing
from restante.cli.terminal import ask_secret, can_ask
from restante.client.http import Session
from restante.client.profile import PASSPHRASE_VARIABLE, Environment
from restante.client.verification import verify_by_passphrase, verify_by_recovery_code


def verify(session: Session, name: str) -> None:
    """Shows the server a secret from the environment or the terminal. Raises Missing when there is neither."""
    environment = Environment.read()
    if environment.recovery_code:
        verify_by_recovery_code(session, environment.recovery_code)
        return
    if environment.passphrase is None and not can_ask():
        raise Missing("your passphrase", hint=f"Run it in a terminal, or set {PASSPHRASE_VARIABLE}.")
    verify_by_passphrase(session, name, environment.passphrase or ask_secret("Passphrase"))
