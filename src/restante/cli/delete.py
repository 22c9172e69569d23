"""`restante delete`."""

import time
from typing import Annotated

from cyclopts import Parameter

from restante.cli.failures import Interrupted
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import can_ask, put, put_json, say
from restante.client.incoming import Mailbox

UNDO_S = 10


def delete(
    message: str,
    *,
    for_everyone: Annotated[bool, Parameter(negative="")] = False,
    now: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Deletes a message from your own mailbox.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        for_everyone: deletes what you sent from every mailbox, and its video from the server. At a terminal there are ten
            seconds to stop it with Ctrl-C.
        now: does not wait.
        common: options of every command.
    """
    with using_account(common) as account:
        mailbox = Mailbox(account)
        delete_it = mailbox.delete_for_everyone if for_everyone else mailbox.delete_for_me
        if for_everyone and not now and can_ask():
            _wait()
        message_id = delete_it(message)
    if common.json:
        put_json({"id": message_id, "for": "everyone" if for_everyone else "me"})
    else:
        put(message_id)


def _wait() -> None:
    """Until it is over nothing has happened."""
    say(f"It is deleted for everyone in {UNDO_S} seconds. Ctrl-C stops that.")
    try:
        time.sleep(UNDO_S)
    except KeyboardInterrupt as error:
        say("Nothing was deleted.")
        raise Interrupted from error
