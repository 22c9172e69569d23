"""`restante keep`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json
from restante.client.incoming import Mailbox
from restante.client.keeping import Keeping


def keep(
    message: str, *, undo: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT
) -> None:
    """Keeps a message above the others. What its sender lets end, ends all the same: `restante save` makes a file.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        undo: lets it go again.
        common: options of every command.
    """
    with using_account(common) as account:
        item = Mailbox(account).find(message)
        Keeping(account).mark(item, kept=not undo)
    if common.json:
        put_json({"id": item.id, "kept": not undo})
    else:
        put(item.id)
