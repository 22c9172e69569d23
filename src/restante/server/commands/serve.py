"""`restante serve`: the whole service in one process group, one port, one data folder."""

import os
import sys
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from restante.server.clock import SystemClock
from restante.server.config import BadSettings, Settings, from_environment, to_environment
from restante.server.db.meta import NameIsFixed
from restante.server.db.migrate import NewerDatabase
from restante.server.house import furnish

HEADER_BUFFER = 262_144
"""granian's read buffer per connection: bounds the memory of many live uploads."""


def serve(*, data: Path | None = None, host: str | None = None, port: int | None = None) -> None:
    """Serves messages from one data folder.

    Args:
        data: folder of the database and the videos, made when missing (default: ./data).
        host: address to listen on (default: 127.0.0.1).
        port: port to listen on (default: 8080).
    """
    try:
        settings = from_environment(data=data, host=host, port=port)
        house = furnish(settings, SystemClock())
    except (BadSettings, NameIsFixed, NewerDatabase, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    house.database.stop()
    os.environ.update(to_environment(settings))
    print(_greeting(settings, house.server_name), file=sys.stderr, flush=True)
    _granian(settings).serve()


def _granian(settings: Settings) -> Any:
    return Granian(
        "restante.server.app:create",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        loop=Loops.uvloop,
        workers=1,
        backlog=settings.connections,
        backpressure=settings.connections,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.header_timeout_s * 1000), max_buffer_size=HEADER_BUFFER
        ),
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=max(1, int(settings.drain_s)),
    )


def _greeting(settings: Settings, server_name: str) -> str:
    url = f"http://{settings.host}:{settings.port}"
    return f"""Restante serves {server_name} on {url}
  data in {settings.data.resolve()}

Next, in another terminal:
  restante sign-up NAME --server {url}
  restante send NAME FILE
  restante inbox
Stop with Ctrl-C."""
