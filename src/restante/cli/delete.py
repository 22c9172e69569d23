"""`restante delete`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json
from restante.client.incoming import Mailbox


def delete(
    message: str,
    *,
    for_everyone: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Deletes a message from your own mailbox.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        for_everyone: deletes what you sent from every mailbox, and its video from the server.
        common: options of every command.
    """
    with using_account(common) as account:
        mailbox = Mailbox(account)
        delete_it = mailbox.delete_for_everyone if for_everyone else mailbox.delete_for_me
        message_id = delete_it(message)
    if common.json:
        put_json({"id": message_id, "for": "everyone" if for_everyone else "me"})
    else:
        put(message_id)
