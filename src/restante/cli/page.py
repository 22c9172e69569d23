"""`restante page`."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from restante.cli.bars import showing_progress
from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.said import Said
from restante.cli.terminal import put, put_json, say
from restante.client.errors import printable
from restante.client.pages import OwnPage
from restante.protocol.wire_pages import Hours, PageAccess, Schedule

Action = Literal["on", "off", "show", "greeting", "rotate"]
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})\Z")
_WHO = {"anyone": "anyone", "signed-in": "accounts of this server", "link": "whoever has the link"}


def page(
    action: Action = "show",
    file: Path | None = None,
    *,
    captions: Path | None = None,
    who: PageAccess | None = None,
    note: str | None = None,
    hours: tuple[str, ...] | None = None,
    timezone: str = "UTC",
    always: Annotated[bool, Parameter(negative="")] = False,
    none: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Your answering page: strangers leave you a message there.

    Args:
        action: on and off; show its link; greeting FILE puts a video on it; rotate makes another link.
        file: the greeting.
        captions: with greeting: a WebVTT or SRT file with what is said in it, to be shown while it plays.
        who: may call: anyone, signed-in, or link.
        note: words for those who have the link, such as when you are back; an empty one goes.
        hours: when it takes calls, such as `mon-fri 09:00-17:00`; may be given several times.
        timezone: of the hours, such as Europe/Paris.
        always: takes calls at every hour again.
        none: with greeting: takes it off, and deletes it.
        common: options of every command.
    """
    with using_account(common) as account:
        own = OwnPage(account)
        match action:
            case "on":
                own.switch_on(access=who, note=note, schedule=_schedule(hours, timezone, always=always))
            case "off":
                own.switch_off()
            case "greeting":
                _greet(own, file, Said.of(None, captions), none=none)
            case "rotate":
                own.rotate()
            case "show":
                pass
        _show(own, common)


def _greet(own: OwnPage, file: Path | None, said: Said, *, none: bool) -> None:
    if none:
        own.stop_greeting()
        return
    if file is None:
        raise Missing("a video", hint="restante page greeting FILE, or --none")
    with showing_progress() as report:
        own.greet_with(file, captions=said.captions, report=report)


def _schedule(
    hours: tuple[str, ...] | None, timezone: str, *, always: bool
) -> Schedule | msgspec.UnsetType | None:
    if always:
        return None
    if not hours:
        return msgspec.UNSET
    return Schedule(timezone, [span for text in hours for span in _spans(text)])


def _spans(text: str) -> list[Hours]:
    found = _SPAN.match(text.strip().lower())
    if found is None or found[1] not in _DAYS or (found[2] or found[1]) not in _DAYS:
        raise Missing(f"hours instead of {text!r}", hint='--hours "mon-fri 09:00-17:00"')
    first, last = _DAYS.index(found[1]), _DAYS.index(found[2] or found[1])
    start, end = (int(found[3]) * 60 + int(found[4])), (int(found[5]) * 60 + int(found[6]))
    days = range(first, last + 1) if first <= last else [*range(first, 7), *range(last + 1)]
    return [Hours(day, start, end) for day in days]


def _show(own: OwnPage, common: Common) -> None:
    if common.json:
        put_json(_as_json(own))
    elif not own.stored.on:
        say("Your answering page is off. restante page on switches it on.")
    else:
        _tell(own)


def _tell(own: OwnPage) -> None:
    put(own.url)
    profile = own.profile
    say(f"On. May call: {_WHO[own.stored.access]}. Greeting: {'yes' if own.stored.greeting else 'none'}.")
    if profile is not None and profile.note:
        say(f"It says: {printable(profile.note)}")
    if own.stored.schedule is not None:
        say(f"It takes calls at set hours ({own.stored.schedule.timezone}).")


def _as_json(own: OwnPage) -> dict[str, Any]:
    profile = own.profile if own.stored.on else None
    return {
        "on": own.stored.on,
        "url": own.url if own.stored.on else None,
        "access": own.stored.access,
        "greeting": profile.greeting if profile else None,
        "note": profile.note if profile else None,
        "schedule": msgspec.to_builtins(own.stored.schedule) if own.stored.schedule else None,
    }
