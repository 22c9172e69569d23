"""`restante drafts`."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json, put_table, say
from restante.client.background import abandon
from restante.client.drafts import Draft, Drafts
from restante.client.errors import printable
from restante.client.outgoing import discard as give_up
from restante.client.saving import save_draft_new
from restante.protocol.names import split_acct


def drafts(
    *,
    discard: str | None = None,
    save: str | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    common: Common = DEFAULT,
) -> None:
    """Lists messages that are not sent yet; `restante send --resume` goes on with one.

    Args:
        discard: removes the draft whose id begins like this, and its upload.
        save: writes the video of the draft whose id begins like this to an .mp4, as far as it is there.
        output: the file to write; otherwise it has the draft's id in this folder.
        common: options of every command.
    """
    kept = Drafts(common.open_profile().drafts)
    if save is not None:
        _save(kept.find(save), output, common)
        return
    if discard is not None:
        draft = kept.find(discard)
        if draft.record.upload is None:
            with draft.held():
                abandon(None, draft)
        else:
            with using_account(common) as account:
                give_up(account, draft)
    rows = [_describe(draft) for draft in kept.all()]
    if common.json:
        put_json(rows)
        return
    put_table(
        [
            [row["id"], row["state"], ", ".join(row["to"]), printable(row["file"] or "recorded")]
            for row in rows
        ]
    )
    for folder in kept.damaged():
        say(f"warning: {folder} cannot be read; remove it to free its space.")
    if not rows:
        say("Nothing is waiting to be sent.")


def _save(draft: Draft, output: Path | None, common: Common) -> None:
    path = save_draft_new(draft, output or Path(f"{draft.record.id}.mp4"))
    if not draft.is_complete:
        say("warning: The draft is not complete: the file ends where it was interrupted.")
    if common.json:
        put_json({"id": draft.record.id, "path": str(path)})
    else:
        put(str(path))


def _describe(draft: Draft) -> dict[str, Any]:
    record = draft.record
    return {
        "id": record.id,
        "to": [split_acct(acct)[0] for acct in record.to],
        "created_at": record.created,
        "file": record.source.path if record.source else None,
        "caption": record.caption,
        "state": "complete" if draft.is_complete else "incomplete",
    }
