"""`restante operator invites`: codes that let somebody make an account, or into a beta."""

import time
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection

from restante.server.admission import service
from restante.server.commands.office import Misused, data_folder, day, failed, in_database, plain, print_json
from restante.server.config import Settings, from_environment

_DAY_MS = 86_400_000


def invites(
    action: Literal["list", "make", "revoke"] = "list",
    invite: str = "",
    *,
    note: str = "",
    uses: int = 1,
    days: int | None = None,
    data: Path | None = None,
    json: bool = False,
) -> int:
    """Lists, makes and takes back invites. A code is shown when it is made, and never again.

    Args:
        action: what to do.
        invite: with revoke, the beginning of an invite's id.
        note: with make, your own word for it.
        uses: with make, how many it lets in.
        days: with make, how long it is good (default: until it is used up or taken back).
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    now_ms = time.time_ns() // 1_000_000
    try:
        folder = data_folder(data)
        if action == "make":
            _make(folder, note, uses, days, now_ms=now_ms, as_json=json)
            return 0
        listed = in_database(folder, lambda connection: _listed(connection, action, invite, now_ms=now_ms))
    except Misused as error:
        return failed(error)
    if json:
        print_json(listed)
        return 0
    for each in listed:
        state = f"{each['uses']} of {each['most_uses']}"
        print(
            "  ".join(
                [day(each["created_at"]), each["id"], each["state"], state, plain(each["note"])]
            ).rstrip()
        )
    return 0


def _make(folder: Path, note: str, uses: int, days: int | None, *, now_ms: int, as_json: bool) -> None:
    if uses < 1 or (days is not None and days < 1):
        raise Misused("an invite that lets nobody in", "Give --uses and --days of at least 1.")
    expires_at = None if days is None else now_ms + days * _DAY_MS
    invite_id, code = in_database(
        folder,
        lambda connection: service.make_invite(
            connection, note=note, most_uses=uses, expires_at=expires_at, now_ms=now_ms
        ),
    )
    address = _address(from_environment(data=folder), code)
    if as_json:
        print_json({"id": invite_id, "code": code, "address": address, "expires_at": expires_at})
    else:
        print(f"{code}\n{address}")


def _address(settings: Settings, code: str) -> str:
    home = settings.origins[0] if settings.origins else f"http://{settings.host}:{settings.port}"
    return f"{home}/sign-up#ticket={code}"


def _listed(connection: Connection, action: str, invite: str, *, now_ms: int) -> list[dict[str, Any]]:
    if action == "revoke":
        found = [row for row in service.invites_made(connection) if invite and row.id.startswith(invite)]
        if len(found) != 1 or not service.revoke_invite(connection, found[0].id, now_ms=now_ms):
            raise Misused(
                f"no living invite, or more than one, has an id that begins with {invite or 'nothing'}",
                "restante operator invites lists them.",
            )
    return [_line(row, now_ms=now_ms) for row in service.invites_made(connection)]


def _line(row: Any, *, now_ms: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": service.state_of(row, now_ms=now_ms),
        "note": row.note,
        "uses": row.uses,
        "most_uses": row.most_uses,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }
