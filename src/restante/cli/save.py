"""`restante save`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json, say
from restante.client.account import Account
from restante.client.errors import ClientError, OnceOnly
from restante.client.incoming import Mailbox
from restante.client.opened import Item
from restante.client.saving import file_name, save_captions, save_new, save_replacing


def save(
    message: str,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Saves a video as an .mp4, with its captions as a .vtt beside it, and lets the sender know that it was played.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        output: file to write, or folder to write to; otherwise the name is made of sender and date.
        force: replaces an existing file.
        common: options of every command.
    """
    with using_account(common) as account:
        mailbox = Mailbox(account)
        item = mailbox.find(message)
        path = _save(account, item, output, force=force)
        captions = save_captions(item.require(), path)
        mark_played(mailbox, item)
    if common.json:
        put_json({"id": item.id, "path": str(path), "captions": captions and str(captions)})
    else:
        put(str(path))
        if captions:
            put(str(captions))


def _save(account: Account, item: Item, output: Path | None, *, force: bool) -> Path:
    opened = item.require()
    if item.box == "inbox" and opened.opened.fields.once:
        raise OnceOnly
    target = output if output is not None and not output.is_dir() else (output or Path()) / file_name(opened)
    return (save_replacing if force else save_new)(account.session, opened, target)


def mark_played(mailbox: Mailbox, item: Item) -> None:
    """Lets the sender know; that this fails spoils nothing."""
    try:
        mailbox.mark(item, "played")
    except ClientError as error:
        say(f"warning: The sender could not be told that it was played: {error}.")
