"""`restante sessions`."""

from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, put_table
from restante.cli.verifying import verify
from restante.client.account import Account
from restante.client.errors import printable
from restante.client.places import Place, find_place, list_places, remove_other_places, remove_place
from restante.client.verification import verified

_KINDS = {"web": "browser", "cli": "command line", None: "not signed in"}


def sessions(
    *,
    end: str | None = None,
    end_others: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Lists where you are signed in, the place used last first; and removes devices.

    The server may ask for your passphrase or recovery code before it removes one.

    Args:
        end: removes the device of that number, or whose id begins like this: it is signed out and opens nothing more.
        end_others: removes every device but this one.
        common: options of every command.
    """
    with using_account(common) as account:
        if end is not None:
            ended = find_place(account, end)
            verified(lambda: remove_place(account, ended), lambda: _verify(account))
        if end_others:
            verified(lambda: remove_other_places(account), lambda: _verify(account))
        places = list_places(account)
    if common.json:
        put_json([_as_json(place) for place in places])
    else:
        rows = [[str(number), *_row(place)] for number, place in enumerate(places, start=1)]
        put_table([["#", "used", "kind", "id", "name"], *rows])


def _verify(account: Account) -> None:
    verify(account.session, account.identity.name)


def _row(place: Place) -> list[str]:
    name = printable(place.label) or "-"
    return [_when(place), _KINDS[place.kind], place.id[:12], f"{name} (here)" if place.is_current else name]


def _when(place: Place) -> str:
    used = datetime.fromtimestamp((place.used_at or place.since) / 1000, tz=UTC)
    return used.astimezone().strftime("%Y-%m-%d %H:%M")


def _as_json(place: Place) -> dict[str, Any]:
    return {
        "id": place.id,
        "name": place.label,
        "kind": place.kind,
        "since": place.since,
        "used_at": place.used_at,
        "device": place.device_id,
        "current": place.is_current,
    }
