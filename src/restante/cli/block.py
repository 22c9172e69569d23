"""`restante block`."""

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json, say
from restante.client.people import Decision, People

_WORDS: dict[Decision, str] = {
    "accepted": "{acct} is a contact.",
    "ignored": "{acct} is ignored.",
    "blocked": "{acct} is blocked: nothing of theirs arrives, and they cannot tell.",
    "unblocked": "{acct} is not blocked any more.",
}


def block(name: str | None = None, *, common: Common = DEFAULT) -> None:
    """Lets nothing of somebody arrive any more; they cannot tell.

    Args:
        name: whom; without a name, those who are blocked are listed.
        common: options of every command.
    """
    with using_account(common) as account:
        people = People(account)
        if name is not None:
            told(people.decide(name, "blocked"), "blocked", common)
            return
        found = [known.acct for known in people.blocked()]
    if common.json:
        put_json([{"acct": acct} for acct in found])
        return
    for acct in found:
        put(acct)
    if not found:
        say("You blocked nobody.")


def told(acct: str, decision: Decision, common: Common) -> None:
    """Says what was decided."""
    if common.json:
        put_json({"acct": acct, "state": decision})
    else:
        say(_WORDS[decision].format(acct=acct))
