"""`restante contacts`."""

import sys
from typing import Annotated, Any

import segno
from cyclopts import Parameter

from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import ask, can_ask, put, put_json, put_table, say
from restante.client.account import Account
from restante.client.errors import printable
from restante.client.invitations import read_invitation, write_invitation
from restante.client.people import Compared, Known, People

_USAGE = "restante contacts [add LINK|NAME]"
_WORDS = {"verified": "verified", "succeeded": "new key, signed with the old one", "none": "not verified"}


def contacts(
    *words: str,
    verify: str | None = None,
    unverify: str | None = None,
    compared: Annotated[bool, Parameter(negative="")] = False,
    link: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Lists whom you know; adds somebody by the link they gave you; compares safety numbers.

    Args:
        words: `add` and a link or name; nothing lists.
        verify: shows the safety number with this contact, and marks them when both of you see the same.
        unverify: takes this contact's mark back.
        compared: says that the safety number was compared, without being asked.
        link: shows the link by which others add you.
        common: options of every command.
    """
    if words and (len(words) != 2 or words[0] != "add"):
        raise Missing("add, and a link or a name", hint=_USAGE)
    with using_account(common) as account:
        if link:
            _show_link(account, common)
            return
        people = People(account)
        if words:
            known = [_add(people, words[1])]
        elif verify is not None:
            _verify(people, verify, compared=compared, common=common)
            return
        elif unverify is not None:
            people.unmark(unverify)
            known = [each for each in people.known() if each.acct == people.acct_of(unverify)]
        else:
            known = people.known()
    _show(known, common, one=bool(words) or unverify is not None)


def _add(people: People, word: str) -> Known:
    if "/" not in word:
        return people.add(people.acct_of(word))
    invitation = read_invitation(word)
    return people.add(people.acct_of(invitation.acct), named=invitation.fp)


def _verify(people: People, name: str, *, compared: bool, common: Common) -> None:
    found = people.compared(name)
    if not compared:
        _confirm(found)
    people.mark_verified(found)
    if common.json:
        put_json({"acct": found.acct, "number": str(found.number), "verified": True})
    else:
        say(f"{found.acct} is verified.")


def _confirm(found: Compared) -> None:
    say(f"Your safety number with {found.acct}; read it to each other:\n\n{_lines(str(found.number))}\n")
    _draw(found.number.code)
    if not can_ask():
        raise Missing("your word that the number was compared", hint="Compare it, then add --compared.")
    if ask("Type `yes` when both of you see the same") != "yes":
        raise Missing("a yes", hint="They are not marked. If the numbers differ, send nothing and tell them.")


def _lines(number: str) -> str:
    groups = number.split()
    return "\n".join("  " + "  ".join(groups[start : start + 4]) for start in range(0, len(groups), 4))


def _draw(text: str) -> None:
    """Shows a code to scan, where somebody looks at the terminal."""
    if sys.stderr.isatty():
        segno.make(text, error="l", micro=False).terminal(out=sys.stderr, compact=True)


def _show_link(account: Account, common: Common) -> None:
    link = write_invitation(account)
    if common.json:
        put_json({"acct": account.acct, "link": link})
    else:
        put(link)
        _draw(link)


def _show(known: list[Known], common: Common, *, one: bool) -> None:
    if common.json:
        told = [_as_json(each) for each in known]
        put_json(told[0] if one and told else told)
        return
    rows = [[each.acct, _name(each), _WORDS[each.trust]] for each in known]
    put_table([["address", "name", "key"], *rows] if rows else [])
    if not known:
        say("Nobody yet. restante contacts add LINK adds somebody.")


def _as_json(known: Known) -> dict[str, Any]:
    verified = known.contact.verified
    at = verified.at if verified and known.trust == "verified" else None
    return {
        "acct": known.acct,
        "name": known.contact.name.value if known.contact.name else None,
        "trust": known.trust,
        "key": known.fp,
        "verified_at": at,
    }


def _name(known: Known) -> str:
    return printable(known.contact.name.value or "") if known.contact.name else ""
