"""`restante operator link` and `restante operator operators`: who may operate the server in a browser."""

import time
from pathlib import Path

from sqlalchemy import Connection

from restante.server.certs.places import own_url
from restante.server.commands.office import Misused, data_folder, day, failed, in_database, print_json
from restante.server.config import from_environment
from restante.server.operators import service


def link(*, data: Path | None = None, json: bool = False) -> int:
    """Makes a link for one more operator: whoever opens it, once and within half an hour, runs the server.

    Args:
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    try:
        folder = data_folder(data)
        now_ms = time.time_ns() // 1_000_000
        token = in_database(folder, lambda connection: service.make_link(connection, now_ms=now_ms))
    except Misused as error:
        return failed(error)
    address = own_url(from_environment(data=folder)) + service.PATH + token
    if json:
        print_json({"address": address, "expires_at": now_ms + service.LINK_MS})
    else:
        print(address)
    return 0


def operators(*, dismiss: str = "", data: Path | None = None, json: bool = False) -> int:
    """Lists the accounts that run the server, or dismisses one of them.

    Args:
        dismiss: the name of an account that runs it no more; its mailbox stays.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    try:
        folder = data_folder(data)
        listed = in_database(folder, lambda connection: _changed(connection, dismiss))
    except Misused as error:
        return failed(error)
    if json:
        print_json([{"name": name, "since": since} for name, since in listed])
        return 0
    for name, since in listed:
        print(f"{day(since)}  {name}")
    return 0


def _changed(connection: Connection, dismiss: str) -> list[tuple[str, int]]:
    if dismiss and not service.dismiss(connection, dismiss):
        raise Misused(f"{dismiss} is no operator", "restante operator operators lists them.")
    return service.listed(connection)
