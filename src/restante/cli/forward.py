"""`restante forward`."""

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json
from restante.client.forwarding import forward as pass_on
from restante.client.incoming import Mailbox


def forward(message: str, *names: str, common: Common = DEFAULT) -> None:
    """Passes a received message on, if its sender allowed it; when its sender deletes it, it goes for them too.

    Who has it already gets nothing more.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        names: whom it goes to.
        common: options of every command.
    """
    with using_account(common) as account:
        item = Mailbox(account).find(message)
        to = pass_on(account, item, names)
    if common.json:
        put_json({"id": item.id, "to": to})
    else:
        put(item.id)
