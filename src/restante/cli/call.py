"""`restante call`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from restante.cli.bars import showing_progress
from restante.cli.options import DEFAULT, Common
from restante.cli.said import Said
from restante.cli.terminal import put, put_json, say
from restante.client.calling import Words, leave
from restante.client.drafts import Drafts


def call(
    url: str,
    file: Path,
    *,
    name: str | None = None,
    caption: str | None = None,
    captions: Path | None = None,
    answer: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Leaves a video at somebody's answering page, or as the answer to a link. Needs no account.

    What fails is kept among the drafts: the same command goes on with it.

    Args:
        url: the address of the page or of the link, in quotes.
        file: the video.
        name: how you call yourself; nobody can prove it.
        caption: words to go with it.
        captions: a WebVTT or SRT file with what is said in it, to be shown while it plays.
        answer: asks to be answered, and shows the address at which the answer will be.
        common: options of every command.
    """
    drafts = Drafts(common.open_profile().drafts)
    words = Words(name, **Said.of(caption, captions)._asdict())
    with showing_progress() as report:
        called = leave(url, file, words=words, answer=answer, drafts=drafts, report=report)
    if common.json:
        put_json(
            {"id": called.id, "for": called.name, "answer": called.answer, "verified": called.is_verified}
        )
        return
    say(f"Your message waits for {called.name}.")
    if not called.is_verified:
        say("warning: The address did not say which key is theirs: the server could have given another one.")
    if called.answer is not None:
        put(called.answer)
        say("Keep this address: an answer will be there, and nobody can tell it again.")
