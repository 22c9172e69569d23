"""`restante report`."""

from typing import Annotated, Any

from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import ask, can_ask, put, put_json, say
from restante.client.incoming import Mailbox
from restante.client.people import People
from restante.client.reports import report as report_message
from restante.protocol.wire_people import ReportReason


def report(
    message: str,
    *,
    reason: ReportReason,
    note: str = "",
    block: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Tells the operator of one message that you received, and lets them open this one.

    Args:
        message: its number in the inbox, or the beginning of its id.
        reason: what is wrong with it.
        note: your own words to the operator.
        block: blocks the sender too.
        yes: discloses it without asking.
        common: options of every command.
    """
    with using_account(common) as account:
        item = Mailbox(account).find(message)
        if not yes:
            _confirm()
        told = report_message(account, item, reason=reason, note=note)
        if block and item.sender is not None:
            People(account).decide(item.sender, "blocked")
    answer: dict[str, Any] = {"id": told.id, "created_at": told.created_at, "contact": told.contact or None}
    if common.json:
        put_json(answer)
        return
    put(told.id)
    if told.contact:
        say(f"For what cannot wait: {told.contact}")


def _confirm() -> None:
    say("The operator of the server will be able to open this message, and no other.")
    if not can_ask():
        raise Missing("your word that this message may be disclosed", hint="Add --yes.")
    if ask("Type `yes` to report it") != "yes":
        raise Missing("a yes", hint="Nothing was reported.")
