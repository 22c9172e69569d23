"""A line for each message that arrives, as `restante inbox --follow` and `restante watch --follow` print it."""

from restante.cli.options import Common
from restante.cli.shapes import as_json, one_row, tell_troubles
from restante.cli.terminal import put_json_line, put_table
from restante.client.account import Account
from restante.client.events import follow
from restante.client.incoming import Mailbox
from restante.client.opened import Item

_TOLD = frozenset({"connected", "message", "resync"})


def follow_inbox(account: Account, common: Common) -> None:
    """Lists what is there, then asks for changes at each hint; what was shown is not shown again."""
    mailbox, shown, since = Mailbox(account), set[str](), 0
    for happening in follow(account.session):
        if happening.kind not in _TOLD:
            continue
        changes = mailbox.changes(since)
        since = changes.since
        for item in changes.items:
            if item.id not in shown and item.state != "deleted":
                shown.add(item.id)
                _show_one(item, account, common)


def _show_one(item: Item, account: Account, common: Common) -> None:
    me = account.identity.name
    if common.json:
        put_json_line(as_json(item, me=me))
        return
    put_table([one_row(item, me=me)])
    tell_troubles([item])
