"""`restante accept`."""

from typing import Annotated

from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import ask, can_ask, put_json, say
from restante.client.people import ChangedKey, People


def accept(
    name: str, *, compared: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT
) -> None:
    """Accepts the changed key of a contact, after you compared the safety number over another channel.

    Args:
        name: the contact's name.
        compared: says that the safety number was compared, without being asked.
        common: options of every command.
    """
    with using_account(common) as account:
        people = People(account)
        change = people.changed_key(name)
        if change is not None:
            if not compared:
                _confirm(change)
            people.accept(change)
    if common.json:
        put_json({"acct": change.acct if change else people.acct_of(name), "changed": change is not None})
    elif change is None:
        say(f"The key of {name} has not changed.")


def _confirm(change: ChangedKey) -> None:
    say(f"The key of {change.acct} changed. Your safety number with them is now:\n\n  {change.number}\n")
    if not can_ask():
        raise Missing("your word that the number was compared", hint="Compare it, then add --compared.")
    if ask("Type `yes` when both of you see the same") != "yes":
        raise Missing("a yes", hint="Nothing was accepted.")
