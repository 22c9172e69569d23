"""`restante notices`."""

import re
from typing import Annotated

import msgspec
from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, put_table, say
from restante.client.errors import Misuse
from restante.client.notices import ask_notices, set_mail, set_quiet, verify_mail
from restante.protocol.wire_push import Notices, PutMail, Quiet

_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])\Z")


class BadHours(Misuse):
    """Quiet hours are two times of the day."""

    code = "bad-hours"
    sentence = "These are no hours"
    hint = "Write them like 22:00-07:00."


def notices(
    *,
    mail: str | None = None,
    code: str | None = None,
    no_mail: Annotated[bool, Parameter(negative="")] = False,
    quiet: str | None = None,
    zone: str = "UTC",
    no_quiet: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Shows and changes how you are told of news: by mail, by browsers, and when not.

    Args:
        mail: an address to write to; a code is sent there first.
        code: the code that was sent.
        no_mail: ends mail.
        quiet: hours in which nobody disturbs you, such as 22:00-07:00.
        zone: the time zone of these hours, such as Europe/Paris.
        no_quiet: ends quiet hours.
        common: options of every command.
    """
    with using_account(common) as account:
        if mail is not None or no_mail:
            set_mail(account, None if mail is None else PutMail(mail))
        if code is not None:
            verify_mail(account, code)
        if quiet is not None or no_quiet:
            set_quiet(account, None if quiet is None else _quiet(quiet, zone))
        told = ask_notices(account)
    if common.json:
        put_json(msgspec.to_builtins(told))
        return
    put_table(_rows(told))
    if told.mail is not None and not told.mail.verified:
        say("A code was sent to the address: restante notices --code CODE")


def _quiet(text: str, zone: str) -> Quiet:
    match = _HOURS.match(text)
    if match is None:
        raise BadHours(text)
    numbers = [int(group) for group in match.groups()]
    return Quiet(numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3], zone)


def _rows(told: Notices) -> list[list[str]]:
    rows = [["browser", each.host] for each in told.subscriptions]
    if told.mail is not None:
        rows.append(["mail", told.mail.address + ("" if told.mail.verified else " (not verified)")])
    if told.quiet is not None:
        hours = "-".join(
            f"{minute // 60:02}:{minute % 60:02}" for minute in (told.quiet.begins, told.quiet.ends)
        )
        rows.append(["quiet", f"{hours} {told.quiet.zone}"])
    return rows
