"""`restante forward`."""

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json
from restante.client.forwarding import forward as pass_on
from restante.client.groups import Groups
from restante.client.incoming import Mailbox
from restante.client.opened import Item
from restante.protocol.names import split_acct


def forward(message: str, *names: str, group: str | None = None, common: Common = DEFAULT) -> None:
    """Passes a received message on, if its sender allowed it; when its sender deletes it, it goes for them too.

    Who has it already gets nothing more.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        names: whom it goes to.
        group: the name of a group; everybody in it gets it too.
        common: options of every command.
    """
    with using_account(common) as account:
        item = Mailbox(account).find(message)
        members = _others(Groups(account).members(group), item) if group else []
        to = pass_on(account, item, (*members, *names))
    if common.json:
        put_json({"id": item.id, "to": to})
    else:
        put(item.id)


def _others(members: tuple[str, ...], item: Item) -> list[str]:
    """Whose message it was has it already."""
    return [acct for acct in members if split_acct(acct)[0] != item.sender]
