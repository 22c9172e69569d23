"""`restante doctor`: looks at one thing after the other on the server's machine; one plain line each, and one cure."""

import sys
import time
from pathlib import Path

from sqlalchemy import Connection

from restante.protocol.wire_desk import Examined
from restante.server.backup.restoring import is_current
from restante.server.commands.office import Misused, failed, in_database, print_json
from restante.server.config import BadSettings, Settings, from_environment
from restante.server.db import meta
from restante.server.desk.examining import Facts, examine
from restante.server.desk.service import facts_of

SIGNS = {"good": "ok", "poor": "!", "bad": "BAD"}


def doctor(*, data: Path | None = None, json: bool = False) -> int:
    """Looks at everything that a server needs, and says for each what is wrong and how to mend it.

    Args:
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    try:
        settings = from_environment(data=data)
        facts, server_name = _facts(settings)
        items = list(examine(settings, facts, server_name=server_name))
    except BadSettings as error:
        return failed(Misused(str(error), "docs/reference/settings.md lists what can be set."))
    except Misused as error:
        return failed(error)
    if json:
        print_json(items)
    else:
        _show(items)
    return 1 if any(each.state == "bad" for each in items) else 0


def _facts(settings: Settings) -> tuple[Facts, str]:
    """Of a database that is not brought up to date here: that is the server's business. And what the server is called."""
    now_ms, folder = time.time_ns() // 1_000_000, settings.data
    current = bool(settings.database_url) or is_current(folder)
    if current is None:
        raise Misused(
            f"there is no server's data in {folder}",
            "Name its data folder with --data, or start it once: restante serve.",
        )
    if not current:
        nothing = {"backup_at": 0, "check_at": 0, "check_errors": 0}
        named = settings.server_name or "localhost"
        return Facts(now_ms, 0, nothing, [], is_current=False, operators=0), named

    def work(connection: Connection) -> tuple[Facts, str]:
        named = meta.get(connection, "server_name") or b"localhost"
        return facts_of(connection, now_ms=now_ms, witnesses=settings.witnesses), named.decode()

    return in_database(folder, work)


def _show(items: list[Examined]) -> None:
    for each in items:
        print(f"{SIGNS[each.state]:>3}  {each.name:<12} {each.text}")
        if each.cure:
            print(f"     {'':<12} {each.cure}")
    wrong = sum(each.state == "bad" for each in items)
    soon = sum(each.state == "poor" for each in items)
    words = "All is well." if not wrong + soon else f"{wrong} things do not work, {soon} want attention."
    print(words, file=sys.stderr)
