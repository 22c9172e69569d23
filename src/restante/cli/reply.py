"""`restante reply`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from restante.cli.bars import showing_progress
from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json
from restante.client.errors import ReplyUnknown
from restante.client.incoming import Mailbox
from restante.client.outgoing import say
from restante.client.outgoing import send as send_video


def reply(
    message: str,
    file: Path | None = None,
    *,
    text: str | None = None,
    reaction: str | None = None,
    caption: Annotated[str | None, Parameter(help="Words to go with a video.")] = None,
    common: Common = DEFAULT,
) -> None:
    """Answers a received message, by a video, by words or by a reaction. Only its sender gets the answer.

    Args:
        message: its place in the inbox (1 is the newest), or the beginning of its id.
        file: a video of at most three minutes.
        text: words instead of a video.
        reaction: a sign such as ❤ instead of a video.
        caption: words to go with a video.
        common: options of every command.
    """
    if sum(one is not None for one in (file, text, reaction)) != 1 or (caption and file is None):
        raise Missing("a file, --text or --reaction", hint="restante reply MESSAGE FILE")
    with using_account(common) as account:
        item = Mailbox(account).find(message)
        sender = item.require().sender
        if item.box != "inbox" or sender is None:
            raise ReplyUnknown
        to, reply_to = [sender], item.id
        if file is not None:
            with showing_progress() as report:
                sent = send_video(account, to, file, caption=caption, reply_to=reply_to, report=report)
        elif text is not None:
            sent = say(account, to, "text", text, reply_to=reply_to)
        else:
            sent = say(account, to, "reaction", reaction or "", reply_to=reply_to)
    if common.json:
        put_json({"id": sent.id, "received_at": sent.received_at, "state": sent.state, "reply_to": item.id})
    else:
        put(sent.id)
