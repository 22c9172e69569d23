"""`restante groups`."""

from typing import Any

from restante.cli.failures import Missing
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, put_table, say
from restante.client.errors import printable
from restante.client.groups import Groups, Listed

_USAGE = "restante groups [new|add|remove GROUP NAME… | drop GROUP]"


def groups(*words: str, common: Common = DEFAULT) -> None:
    """Lists your groups, makes and changes them; `restante send --group` leaves a message for all in one.

    Args:
        words: `new`, `add` or `remove`, a group and names; or `drop` and a group; nothing lists.
        common: options of every command.
    """
    if words and (len(words) < 2 or words[0] not in ("new", "add", "remove", "drop")):
        raise Missing("what to do with which group", hint=_USAGE)
    if words and (words[0] == "drop") != (len(words) == 2):
        raise Missing("names" if len(words) == 2 else "nothing but the group's name", hint=_USAGE)
    with using_account(common) as account:
        store = Groups(account)
        if not words:
            _show(store.all(), common)
        elif words[0] == "drop":
            _show([store.drop(words[1])], common, one=True)
        else:
            change = {"new": store.new, "add": store.add, "remove": store.remove}[words[0]]
            _show([change(words[1], words[2:])], common, one=True)


def _show(found: list[Listed], common: Common, *, one: bool = False) -> None:
    if common.json:
        told = [_as_json(each) for each in found]
        put_json(told[0] if one else told)
        return
    rows = [[printable(each.name), ", ".join(each.members)] for each in found]
    put_table([["group", "people"], *rows] if rows else [])
    if not rows:
        say("No group yet. restante groups new GROUP NAME… makes one.")


def _as_json(group: Listed) -> dict[str, Any]:
    return {"id": group.id, "name": group.name, "members": list(group.members)}
