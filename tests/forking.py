"""The process that `tests.nursery` asks: it imports, furnishes a house that nobody enters, and forks.

No server runs in it, and no secret of a test is there, so that what is sought in a server's memory can only have come there
by the server's own doing.
"""

import gc
import json
import os
import random
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import restante.server.commands.operator
import restante.server.commands.serve  # noqa: F401 - what a server needs, before there is one
from restante.cli.main import main
from restante.server.app import build_litestar
from restante.server.clock import SystemClock
from restante.server.config import Settings
from restante.server.edge import webapp
from restante.server.house import furnish


def _warm() -> None:
    """Migrates and builds once: what the libraries learn of annotations, tables and statements each fork knows already."""
    with tempfile.TemporaryDirectory() as folder:
        house = furnish(Settings(data=Path(folder)), SystemClock())
        build_litestar(house)
        house.database.stop()


def _serve() -> None:
    _warm()
    gc.collect()
    gc.freeze()
    begun: set[int] = set()
    ended: dict[int, int] = {}
    for line in sys.stdin.buffer:
        question = json.loads(line)
        answer = _fork(question) if "fork" in question else _code(question["poll"], ended)
        if "fork" in question and answer is not None:
            begun.add(answer)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()
    for pid in begun - ended.keys():  # of tests that were killed
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _fork(question: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _become(question)
    return pid


def _become(question: dict[str, Any]) -> None:
    """Turns this process into the program, as if it had just been started."""
    code: object = 1
    try:
        os.setsid()
        out, log = (
            os.open(question[name], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) for name in ("out", "log")
        )
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, file in enumerate((nothing, out, log)):
            os.dup2(file, number)
        os.environ.clear()
        os.environ.update(question["env"])
        random.seed()
        if "TEST_WEBAPP" in os.environ:
            webapp.load.__defaults__ = (Path(os.environ["TEST_WEBAPP"]),)
        sys.argv = ["restante", *question["fork"]]
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - whatever it is goes to the log, as at the end of any program
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _code(pid: int, ended: dict[int, int]) -> int | None:
    if pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if not found:
            return None
        ended[pid] = os.waitstatus_to_exitcode(status)
    return ended[pid]


if __name__ == "__main__":
    _serve()
