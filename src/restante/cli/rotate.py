"""`restante rotate`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, say
from restante.cli.verifying import verify
from restante.client.account import Account
from restante.client.rotation import publish
from restante.client.rotation import rotate as rotate_keys
from restante.client.verification import verified
from restante.signing.keys import fp


def rotate(*, signing: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT) -> None:
    """Makes a new encryption key; what was sealed to the old ones still opens.

    With --signing the signing key, too: your contacts see that the old one named it, and those who had compared safety numbers
    do so again. The server may ask for your passphrase or recovery code first.

    Args:
        signing: makes a new signing key as well, and one for contacts and settings, as after a device got into wrong hands.
        common: options of every command.
    """
    with using_account(common) as account:
        verified(lambda: publish(account), lambda: _verify(account))
        if signing:
            _verify(account)
        rotate_keys(account, signing=signing)
        told = {"acct": account.acct, "signing": signing, "key": fp(account.keyring.signing_key.public)}
    if common.json:
        put_json(told)
    else:
        say("The new keys are in use. What was sealed to the old ones still opens.")


def _verify(account: Account) -> None:
    verify(account.session, account.identity.name)
