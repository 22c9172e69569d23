"""`restante inbox`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.following import follow_inbox
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.shapes import as_json, inbox_rows, tell_troubles
from restante.cli.terminal import put_json, put_table, say
from restante.client.account import Account
from restante.client.incoming import Mailbox
from restante.client.keeping import Keeping
from restante.client.opened import Item


def inbox(
    *,
    sender: Annotated[str | None, Parameter(name="--from")] = None,
    archived: Annotated[bool, Parameter(negative="")] = False,
    follow: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Lists what was received, the newest first.

    Args:
        sender: shows only what this person left.
        archived: shows what was archived, and nothing else.
        follow: stays, and shows what arrives; with --json, one object on each line.
        common: options of every command.
    """
    with using_account(common) as account:
        if follow:
            if sender is not None:
                raise Missing("one of --from and --follow", hint="restante inbox --from NAME")
            follow_inbox(account, common)
            return
        items = Mailbox(account).inbox(sender=sender)
        _show(items, account, common, archived=archived)


def _show(items: list[Item], account: Account, common: Common, *, archived: bool) -> None:
    """Archived ones keep their numbers, so that numbers mean the same everywhere; a kept one has a star."""
    me, keeping = account.identity.name, Keeping(account)
    shown = [item for item in items if keeping.is_archived(item) is archived]
    kept = {item.id for item in shown if keeping.is_kept(item)}
    if common.json:
        put_json([as_json(item, me=me) | {"kept": item.id in kept, "archived": archived} for item in shown])
        return
    put_table(inbox_rows(shown, me=me, kept=kept))
    tell_troubles(items)
    if any(item.standing == "request" for item in items):
        say("Some are from people whom you have not accepted: restante requests")
    if not items:
        say("Nothing here yet.")
