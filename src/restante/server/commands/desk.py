"""`restante operator usage|people|work|record`: what the desk shows in a browser, at the terminal."""

import time
from pathlib import Path

from sqlalchemy import Connection

from restante.protocol import limits
from restante.protocol.wire_desk import DeskActs, DeskPeople, DeskPerson, DeskUsage
from restante.protocol.wire_office import DeskWork
from restante.server.commands.office import (
    Misused,
    data_folder,
    day,
    failed,
    in_database,
    note,
    plain,
    print_json,
    record_key,
)
from restante.server.desk import service
from restante.server.outbox import queue

_MIB = 1 << 20


def usage(*, data: Path | None = None, json: bool = False) -> int:
    """Shows how much there is, and messages, bytes and active people of each of the last thirty days.

    Args:
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    try:
        folder, now_ms = data_folder(data), _now_ms()
        found: DeskUsage = in_database(
            folder, lambda connection: service.usage_of(connection, folder, now_ms=now_ms)
        )
    except Misused as error:
        return failed(error)
    if json:
        print_json(found)
        return 0
    print(f"{found.accounts} mailboxes, {found.sessions} sessions, {found.uploads_active} uploads under way")
    print(f"{found.messages} messages, {found.blob_bytes // _MIB} MiB; {found.free_bytes // _MIB} MiB free")
    for each in found.days:
        size = f"{each.bytes // _MIB:6} MiB"
        print(f"{day(each.at)}  {each.messages:6} messages  {size}  {each.people:5} people")
    return 0


def people(*, like: str = "", data: Path | None = None, json: bool = False) -> int:
    """Lists accounts by name: since when, last seen, how much they sent. Never what, or to whom.

    Args:
        like: only names that have this in them.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    try:
        listed = in_database(data_folder(data), lambda connection: _everybody(connection, like))
    except Misused as error:
        return failed(error)
    if json:
        print_json(listed)
        return 0
    for each in listed:
        words = [day(each.created_at), f"{each.messages:6}", f"{each.bytes // _MIB:6} MiB", each.name]
        marks = [
            word for word, holds in (("operator", each.is_operator), ("banned", each.is_banned)) if holds
        ]
        print("  ".join([*words, *marks]))
    return 0


def work(*, retry: str = "", data: Path | None = None, json: bool = False) -> int:
    """Counts the work beside the requests that is to be done, by kind, and what of it failed.

    Args:
        retry: a kind of work whose failures are tried again now.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    try:
        folder = data_folder(data)
        found: DeskWork = in_database(folder, lambda connection: _worked(connection, folder, retry))
    except Misused as error:
        return failed(error)
    if json:
        print_json(found.items)
        return 0
    for each in found.items:
        print(f"{each.count:6}  {each.failing:6} failed  since {day(each.oldest_due_at)}  {each.kind}")
    return 0


def record(*, before: int = limits.JSON_INT, data: Path | None = None, json: bool = False) -> int:
    """Lists what operators did and looked into, the newest first, and whether that record is whole.

    Args:
        before: only lines before this one.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    try:
        folder = data_folder(data)
        key = record_key(folder)
        found: DeskActs = in_database(
            folder, lambda connection: service.acts_of(connection, key, before=before)
        )
    except Misused as error:
        return failed(error)
    if json:
        print_json(found)
    else:
        for each in found.items:
            words = [f"{each.seq:5}", day(each.at), each.operator or "(terminal)", each.act, each.subject]
            print("  ".join([*words, plain(each.note)]).rstrip())
        print("The record is whole." if found.whole else "BAD: somebody without the key changed this record.")
    return 0 if found.whole else 1


def _everybody(connection: Connection, like: str) -> list[DeskPerson]:
    found: list[DeskPerson] = []
    page = DeskPeople(items=[], more=True)
    while page.more:
        page = service.people_of(connection, after=found[-1].name if found else "", like=like)
        found += page.items
    return found


def _worked(connection: Connection, folder: Path, retry: str) -> DeskWork:
    if retry:
        now_ms = _now_ms()
        count = queue.retry(connection, retry, now_ms=now_ms)
        note(connection, folder, "retry", retry, str(count), now_ms=now_ms)
    return service.work_of(connection)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
