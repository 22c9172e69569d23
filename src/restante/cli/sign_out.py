"""`restante sign-out`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common
from restante.cli.terminal import put_json, say
from restante.cli.verifying import verify
from restante.client.accounts import sign_out as leave
from restante.client.accounts import sign_out_everywhere
from restante.client.drafts import Drafts


def sign_out(
    *, everywhere: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT
) -> None:
    """Ends the session and forgets the account's keys on this device.

    Args:
        everywhere: ends every session of the account, on all devices; your passphrase or recovery code may be asked for first.
        common: options of every command.
    """
    profile = common.open_profile()
    identity = profile.signed_in
    if everywhere:
        sign_out_everywhere(profile, verify=lambda session: verify(session, identity.name))
    else:
        leave(profile)
    if common.json:
        put_json({"acct": identity.acct, "everywhere": everywhere})
    if Drafts(profile.drafts).all():
        say("Messages that are not sent yet stay here: restante drafts lists them.")
