"""`restante drafts`."""

from typing import Any

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, put_table, say
from restante.client.drafts import Draft, Drafts
from restante.client.errors import printable
from restante.client.outgoing import discard as give_up
from restante.protocol.names import split_acct


def drafts(*, discard: str | None = None, common: Common = DEFAULT) -> None:
    """Lists messages that are not sent yet; `restante send --resume` goes on with one.

    Args:
        discard: removes the draft whose id begins like this, and its upload.
        common: options of every command.
    """
    kept = Drafts(common.open_profile().drafts)
    if discard is not None:
        draft = kept.find(discard)
        with using_account(common) as account:
            give_up(account, draft)
    rows = [_describe(draft) for draft in kept.all()]
    if common.json:
        put_json(rows)
        return
    put_table([[row["id"], row["state"], ", ".join(row["to"]), printable(row["file"])] for row in rows])
    for folder in kept.damaged():
        say(f"warning: {folder} cannot be read; remove it to free its space.")
    if not rows:
        say("Nothing is waiting to be sent.")


def _describe(draft: Draft) -> dict[str, Any]:
    record = draft.record
    return {
        "id": record.id,
        "to": [split_acct(acct)[0] for acct in record.to],
        "created_at": record.created,
        "file": record.source.path,
        "caption": record.caption,
        "state": "complete" if draft.is_complete else "incomplete",
    }
