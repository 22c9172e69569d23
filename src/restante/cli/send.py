"""`restante send`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from restante.cli.bars import showing_progress
from restante.cli.failures import Interrupted, Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.said import Said
from restante.cli.terminal import put, put_json, say
from restante.client.account import Account
from restante.client.drafts import Drafts
from restante.client.groups import Groups
from restante.client.outgoing import resume as go_on
from restante.client.outgoing import send as send_video
from restante.client.terms import Lasting, Terms
from restante.media import Shorten
from restante.protocol import wire

_USAGE = "restante send NAME… FILE"


def send(
    *names_and_file: str,
    group: str | None = None,
    caption: str | None = None,
    captions: Path | None = None,
    shorten: Annotated[bool, Parameter(negative="")] = False,
    expires: Lasting = "never",
    once: Annotated[bool, Parameter(negative="")] = False,
    may_forward: Annotated[bool, Parameter(negative="")] = False,
    resume: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Sends a video to one or more accounts: any file that holds one, of at most three minutes.

    Interrupted, the same command goes on; so does --resume.

    Args:
        names_and_file: the recipients' names, then the file; with --resume the beginning of a draft's id, or nothing; and
            the recipients' names when it is a take that was kept for later.
        group: the name of a group; everybody in it gets the message too.
        caption: words to go with it.
        captions: a WebVTT or SRT file with what is said, to be shown while it plays.
        shorten: sends the first three minutes of a longer video.
        expires: when it ends for everyone: after all have played it, or after so many days.
        once: asks that it is watched once. A courtesy: a screen can always be filmed.
        may_forward: lets the recipients pass it on; what you delete goes for those too.
        resume: goes on with a message that was interrupted.
        common: options of every command.
    """
    if resume:
        if shorten or ((caption is not None or captions is not None) and len(names_and_file) < 2):
            raise Missing("nothing but a draft goes with --resume", hint="restante send --resume [DRAFT]")
    elif len(names_and_file) < (1 if group else 2):
        raise Missing("a name and a file", hint=_USAGE)
    terms = Terms.parse(expires, once=once, may_forward=may_forward)
    with using_account(common) as account, _telling_of_draft(account):
        words = Said.of(caption, captions)
        members = Groups(account).members(group) if group else ()
        if resume:
            sent = _resume(account, words, *names_and_file)
        else:
            sent = _send(account, (*members, *names_and_file), words, terms, cut=shorten)
    if common.json:
        put_json({"id": sent.id, "received_at": sent.received_at, "state": sent.state})
    else:
        put(sent.id)


def _send(account: Account, arguments: tuple[str, ...], words: Said, terms: Terms, *, cut: bool) -> wire.Sent:
    *names, file = arguments
    shorten = Shorten.CUT if cut else Shorten.REFUSE
    with showing_progress() as report:
        return send_video(
            account, names, Path(file), shorten=shorten, terms=terms, report=report, **words._asdict()
        )


def _resume(account: Account, words: Said, beginning: str | None = None, *names: str) -> wire.Sent:
    with showing_progress() as report:
        return go_on(account, beginning, to=names, report=report, **words._asdict())


@contextmanager
def _telling_of_draft(account: Account) -> Iterator[None]:
    """Whatever happened, what is kept is kept: says so."""
    try:
        yield
    except BaseException as error:
        drafts = Drafts(account.profile.drafts).all()
        if drafts:
            newest = drafts[-1].record.id
            say(f"The message is kept as a draft. To go on: restante send --resume {newest}")
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted from error
        raise
