"""`restante sent`."""

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.shapes import as_json, deliveries_json, sent_rows, tell_troubles
from restante.cli.terminal import put_json, put_table, say
from restante.client.incoming import Mailbox
from restante.client.people import People
from restante.client.receipts import confirmed


def sent(*, common: Common = DEFAULT) -> None:
    """Lists what was sent, the newest first, and how far it came: stored, delivered, played; and what its recipients signed.

    Args:
        common: options of every command.
    """
    with using_account(common) as account:
        items, me, people = Mailbox(account).sent(), account.identity.name, People(account)
        receipts = {item.id: confirmed(account, item, people) for item in items}
    if common.json:
        put_json(
            [
                as_json(item, me=me) | {"deliveries": deliveries_json(item, receipts[item.id])}
                for item in items
            ]
        )
        return
    put_table(sent_rows(items, me=me, receipts=receipts))
    for item in items:
        for name, one in receipts[item.id].items():
            if one.word == "wrong":
                say(f"warning: {item.id}: the receipt of {name} does not hold ({one.code})")
    tell_troubles(items)
    if not items:
        say("Nothing sent yet.")
