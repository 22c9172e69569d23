"""`restante rotate`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.proving import prove
from restante.cli.terminal import put_json, say
from restante.client.account import Account
from restante.client.errors import ServerProblem
from restante.client.rotation import VERIFICATION_NEEDED, publish
from restante.client.rotation import rotate as rotate_keys
from restante.signing.keys import fp


def rotate(*, signing: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT) -> None:
    """Makes a new encryption key; what was sealed to the old ones still opens.

    With --signing the signing key, too: your contacts see that the old one named it, and those who had compared safety numbers
    do so again. The server may ask for your passphrase or recovery code first.

    Args:
        signing: makes a new signing key as well.
        common: options of every command.
    """
    with using_account(common) as account:
        _publish_what_waits(account)
        if signing:
            prove(account)
        rotate_keys(account, signing=signing)
        told = {"acct": account.acct, "signing": signing, "key": fp(account.keyring.signing_key.public)}
    if common.json:
        put_json(told)
    else:
        say("The new keys are in use. What was sealed to the old ones still opens.")


def _publish_what_waits(account: Account) -> None:
    try:
        publish(account)
    except ServerProblem as problem:
        if problem.code != VERIFICATION_NEEDED:
            raise
        prove(account)
        publish(account)
