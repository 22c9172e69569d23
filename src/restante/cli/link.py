"""`restante link`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from restante.cli.bars import showing_progress
from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.said import Said
from restante.cli.terminal import ask_secret, can_ask, put, put_json, put_table, say
from restante.client.account import Account
from restante.client.addresses import PageAddress, read_address
from restante.client.errors import printable
from restante.client.guest import Guest, Seen
from restante.client.links import Made, Terms, add_link, answer_caller, list_links, revoke, send_by_link
from restante.client.saving import save_captions
from restante.protocol.wire_links import Link

Action = Literal["create", "list", "revoke", "open", "answer"]
_WORDS = {"used-up": "opened as often as allowed", "gone": "message deleted"}
_USAGE = {
    "create": "restante link create FILE|MESSAGE",
    "revoke": "restante link revoke LINK",
    "open": "restante link open URL [-o FILE]",
    "answer": "restante link answer MESSAGE FILE",
}
_COUNTS = {"create": 1, "list": 0, "revoke": 1, "open": 1, "answer": 2}


def link(
    action: Action,
    *words: str,
    caption: str | None = None,
    captions: Path | None = None,
    opens: int | None = None,
    days: float | None = None,
    password: Annotated[bool, Parameter(negative="")] = False,
    no_save: Annotated[bool, Parameter(negative="")] = False,
    answers: Annotated[bool, Parameter(negative="")] = False,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    common: Common = DEFAULT,
) -> None:
    """Makes, lists, takes back and opens links for people without an account; answers a caller.

    Args:
        action: what to do.
        words: create: a file to send, or a message that you sent; revoke: a link's id; open: its address; answer: the
            message of a caller, and a file.
        caption: words to go with a new message.
        captions: a WebVTT or SRT file with what is said in it, to be shown while it plays.
        opens: how often the link can be opened.
        days: after how many days it ends.
        password: asks for a password that opens the link, besides its address.
        no_save: asks guests not to save the video.
        answers: lets guests leave a video for you.
        output: file to write an opened message to; otherwise it is only shown what it is.
        common: options of every command.
    """
    if len(words) != _COUNTS[action]:
        raise Missing(f"other words for {action}", hint=_USAGE.get(action, "restante link list"))
    if action == "open":
        _open(words[0], output, common, password=_asked(password))
        return
    with using_account(common) as account:
        match action:
            case "create":
                terms = Terms(opens, days, not no_save, answers, _asked(password))
                _create(account, words[0], terms, Said.of(caption, captions), common)
            case "list":
                _list(account, common)
            case "revoke":
                _revoke(account, words[0], common)
            case "answer":
                _answer(account, words[0], Path(words[1]), Said.of(caption, captions), common)


def _asked(wanted: bool) -> str | None:  # noqa: FBT001 - a yes or no
    if not wanted:
        return None
    if not can_ask():
        raise Missing("the password of the link", hint="Run it in a terminal, where it can be asked for.")
    return ask_secret("Password of the link")


def _create(account: Account, word: str, terms: Terms, said: Said, common: Common) -> None:
    if Path(word).is_file():
        with showing_progress() as report:
            made: Made = send_by_link(account, Path(word), terms, report=report, **said._asdict())
    else:
        made = add_link(account, word, terms)
    if common.json:
        put_json({"id": made.id, "message": made.message, "url": made.url})
    else:
        put(made.url)
        say("Whoever has this address can open it. It is shown only now.")


def _list(account: Account, common: Common) -> None:
    found = list_links(account)
    if common.json:
        put_json([msgspec.to_builtins(each) for each in found])
        return
    rows = [_row(each) for each in found]
    put_table([["link", "made", "state", "opened", "message"], *rows] if rows else [])
    if not rows:
        say("No links yet. restante link create FILE makes one.")


def _row(each: Link) -> list[str]:
    when = f"{datetime.fromtimestamp(each.created_at / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"
    most = "" if each.most_opens is None else f" of {each.most_opens}"
    return [each.id, when, _WORDS.get(each.state, each.state), f"{each.opens}{most}", each.message]


def _revoke(account: Account, link_id: str, common: Common) -> None:
    revoke(account, link_id)
    if common.json:
        put_json({"id": link_id, "state": "revoked"})
    else:
        say("The link opens nothing any more.")


def _answer(account: Account, message: str, file: Path, said: Said, common: Common) -> None:
    with showing_progress() as report:
        sent = answer_caller(account, message, file, report=report, **said._asdict())
    if common.json:
        put_json({"id": sent})
    else:
        put(sent)


def _open(url: str, output: Path | None, common: Common, *, password: str | None) -> None:
    address = read_address(url)
    to_page = address if isinstance(address, PageAddress) else None
    with Guest.at_page(to_page) if to_page else Guest.at(url, password=password) as guest:
        seen = guest.open()
        saved = None if output is None else guest.save(seen, output)
    captions = None if saved is None else save_captions(seen.message, saved)
    if common.json:
        put_json(_as_json(seen, saved) | {"captions": captions and str(captions)})
        return
    say(f"From {seen.signer or 'somebody who signed nothing'}, by the word of {address.server}.")
    if seen.message.details.caption:
        say(printable(seen.message.details.caption))
    for path in (saved, captions):
        if path is not None:
            put(str(path))


def _as_json(seen: Seen, saved: Path | None) -> dict[str, Any]:
    video = seen.message.details.video
    return {
        "id": seen.message.id,
        "from": seen.signer,
        "caption": seen.message.details.caption,
        "duration_s": video.ms / 1000 if video else None,
        "may_save": seen.view.may_save,
        "may_answer": seen.view.may_answer,
        "path": saved and str(saved),
    }
