"""`restante serve`: the whole service in one process group, one port, one data folder.

[Note: A light parent] granian's parent only watches; it imports neither the database nor the framework, which the
worker does once. So the worker opens the data folder, greets when it is ready, and says what is wrong when it cannot be.
"""

import os
import sys
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from restante.server.config import BadSettings, Settings, from_environment, to_environment

HEADER_BUFFER = 1_114_112
"""Read buffer of a connection: a piece of 1 MiB and its head, so that it comes in one or two reads. It grows only as far as
a client sends ahead of the disk."""


def serve(*, data: Path | None = None, host: str | None = None, port: int | None = None) -> None:
    """Serves messages from one data folder.

    Args:
        data: folder of the database and the videos, made when missing (default: ./data).
        host: address to listen on (default: 127.0.0.1).
        port: port to listen on (default: 8080).
    """
    try:
        settings = from_environment(data=data, host=host, port=port)
    except BadSettings as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    os.environ.update(to_environment(settings))
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
