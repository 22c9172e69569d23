"""`restante requests`."""

from collections import defaultdict
from typing import Any

from restante.cli.block import told
from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, put_table, say
from restante.client.account import Account
from restante.client.incoming import Mailbox
from restante.client.opened import Item
from restante.client.people import Decision, People

_VERBS: dict[str, Decision] = {"accept": "accepted", "ignore": "ignored", "block": "blocked"}


def requests(*words: str, common: Common = DEFAULT) -> None:
    """Lists who wrote to you and waits for an answer; accepts, ignores or blocks them.

    Args:
        words: `accept`, `ignore` or `block`, and a name; nothing lists.
        common: options of every command.
    """
    if words and (len(words) != 2 or words[0] not in _VERBS):
        raise Missing(
            "accept, ignore or block, and a name", hint="restante requests [accept|ignore|block NAME]"
        )
    with using_account(common) as account:
        if words:
            decision = _VERBS[words[0]]
            told(People(account).decide(words[1], decision), decision, common)
            return
        found = _waiting(account)
    if common.json:
        put_json(found)
        return
    rows = [[each["acct"], str(each["messages"]), each["key"]] for each in found]
    put_table([["address", "messages", "key"], *rows] if rows else [])
    if not rows:
        say("Nobody waits.")


def _waiting(account: Account) -> list[dict[str, Any]]:
    """Counts what each of them left; the inbox is opened first, since that is how one meets them."""
    items = Mailbox(account).inbox()
    left: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        origin = item.message.opened.fields.from_ if item.message else None
        if origin is not None and origin.acct is not None:
            left[origin.acct].append(item)
    return [
        {
            "acct": known.acct,
            "key": known.fp,
            "messages": len(left[known.acct]),
            "last_at": max((item.listed.received_at for item in left[known.acct]), default=None),
        }
        for known in People(account).requests()
    ]
