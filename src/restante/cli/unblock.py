"""`restante unblock`."""

from restante.cli.block import told
from restante.cli.options import DEFAULT, Common, using_account
from restante.client.people import People


def unblock(name: str, *, common: Common = DEFAULT) -> None:
    """Lets messages of somebody arrive again; what was sent meanwhile does not come.

    Args:
        name: whom.
        common: options of every command.
    """
    with using_account(common) as account:
        told(People(account).decide(name, "unblocked"), "unblocked", common)
