"""`restante archive`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json
from restante.client.incoming import Mailbox
from restante.client.keeping import Keeping


def archive(
    message: str, *, undo: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT
) -> None:
    """Puts a message out of the way: `restante inbox` leaves it out, `restante inbox --archived` lists it.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        undo: brings it back.
        common: options of every command.
    """
    with using_account(common) as account:
        item = Mailbox(account).find(message)
        Keeping(account).mark(item, archived=not undo)
    if common.json:
        put_json({"id": item.id, "archived": not undo})
    else:
        put(item.id)
