"""`restante sign-out`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common
from restante.cli.terminal import put_json, say
from restante.client.accounts import sign_out as leave
from restante.client.accounts import sign_out_everywhere
from restante.client.drafts import Drafts


def sign_out(
    *, everywhere: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT
) -> None:
    """Ends the session and forgets the account's keys on this device.

    Args:
        everywhere: ends every session of the account, on all devices.
        common: options of every command.
    """
    profile = common.open_profile()
    acct = profile.signed_in.acct
    if everywhere:
        sign_out_everywhere(profile)
    else:
        leave(profile)
    if common.json:
        put_json({"acct": acct, "everywhere": everywhere})
    if Drafts(profile.drafts).all():
        say("Messages that are not sent yet stay here: restante drafts lists them.")
