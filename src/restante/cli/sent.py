"""`restante sent`."""

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.shapes import as_json, sent_rows, tell_troubles
from restante.cli.terminal import put_json, put_table, say
from restante.client.incoming import Mailbox


def sent(*, common: Common = DEFAULT) -> None:
    """Lists what was sent, the newest first, and how far it came: stored, delivered, played.

    Args:
        common: options of every command.
    """
    with using_account(common) as account:
        items, me = Mailbox(account).sent(), account.identity.name
    if common.json:
        put_json([as_json(item, me=me) for item in items])
        return
    put_table(sent_rows(items, me=me))
    tell_troubles(items)
    if not items:
        say("Nothing sent yet.")
