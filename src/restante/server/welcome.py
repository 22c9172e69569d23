"""What the operator reads in the terminal: that the server is ready and what to do next, or why it cannot start."""

import io
import sys
from collections.abc import Callable
from typing import TypeVar

import segno

from restante.server.availability.file import BadFile
from restante.server.blobs.remote import UnusableBlobs
from restante.server.bus.shared import UnusableBus
from restante.server.certs.authority import fingerprint
from restante.server.certs.places import doorstep_url, network_url, own_url
from restante.server.certs.store import root
from restante.server.config import BadSettings, Settings
from restante.server.db.arrival import NotArrived
from restante.server.db.engine import UnreachableDatabase, UnsafeDatabase
from restante.server.db.meta import NameIsFixed
from restante.server.db.migrate import NewerDatabase, TablesInUse
from restante.server.operators.service import PATH
from restante.server.standstill import Elsewhere
from restante.server.transparency.keyfile import BadKeyFile, OtherKey
from restante.server.uploads.folder import OtherFolder

T = TypeVar("T")

GREETING = """Restante serves {name} on {url}
  data in {data}

{first}{phones}Open {url} in a browser. Or, in another terminal:
  restante sign-up NAME --server {url}
  restante send NAME FILE
  restante inbox
Stop with Ctrl-C."""
FIRST = """Nobody has a mailbox here yet. Whoever opens this address, once and within half an hour, runs the server:
  {link}
Another one later: restante operator link

"""
PHONES = """Telephones and other computers of this network begin here, where they learn to trust this server:
  {page}
{code}
Afterwards they find it on {url}
Its authority can vouch for local addresses only; its fingerprint (SHA-256) is
    {proof}

"""
HINTS: dict[type[Exception], str] = {
    NameIsFixed: "Leave RESTANTE_SERVER_NAME as it was at the first run.",
    NewerDatabase: "Start the release that wrote it, or a newer one.",
    TablesInUse: "Start again when it is over, a dump perhaps; the nodes of the release before serve on meanwhile.",
    UnreachableDatabase: "Look whether PostgreSQL runs, and at RESTANTE_DATABASE_URL; then start again, nothing waits for it.",
    UnsafeDatabase: "With SQLite, put the data folder on a local file system; with PostgreSQL, see docs/guides/scale.md.",
    NotArrived: "Run `restante move` again, which goes on where it was, or take it back: restante move --undo.",
    Elsewhere: "Start with the settings that they were moved to, or take the move back: restante move --undo.",
    UnusableBlobs: "docs/guides/object-storage.md says what the bucket must do and what the key must be allowed.",
    OtherKey: "Give every node the same one: copy log.key from the node that was there first, or name it in RESTANTE_LOG_KEY_FILE.",
    OtherFolder: "Several nodes need a bucket (RESTANTE_BLOB_URL); docs/guides/scale.md says what to do when that folder is gone.",
    BadKeyFile: "Clients know the log by this key; without it they would refuse the server.",
    UnusableBus: "docs/guides/several-nodes.md says what the bus is asked for; without RESTANTE_BUS_URL the database passes hints on.",
    BadFile: "restante operator availability --example shows what may stand in it.",
    BadSettings: "docs/reference/settings.md lists what can be set.",
    PermissionError: "Give the data folder to the user who runs the server, or name another with --data.",
    OSError: "Check the data folder named by --data.",
}


def open_or_explain(furnish: Callable[[], T]) -> T:
    """Returns what was furnished; what an operator can mend ends the process with `error:` and `hint:` instead of a trace."""
    try:
        return furnish()
    except tuple(HINTS) as error:
        hint = next(text for kind, text in HINTS.items() if isinstance(error, kind))
        print(f"error: {error}\nhint: {hint}", file=sys.stderr, flush=True)
        raise SystemExit(2) from None


def greet(settings: Settings, server_name: str, *, link: str | None) -> None:
    """Says that requests are served from now on; ``link`` is the secret of the first operator's link."""
    url = own_url(settings) if settings.tls != "off" else f"http://{settings.host}:{settings.port}"
    first = FIRST.format(link=own_url(settings) + PATH + link) if link else ""
    text = GREETING.format(
        name=server_name, url=url, data=settings.data.resolve(), first=first, phones=_phones(settings)
    )
    print(text, file=sys.stderr, flush=True)


def _phones(settings: Settings) -> str:
    """What leads a telephone here: the page of trust, as an address and as a code, and what to compare."""
    if not (page := doorstep_url(settings)):
        return ""
    code = io.StringIO()
    if sys.stderr.isatty():
        segno.make(page, error="l", micro=False).terminal(out=code, compact=True)
    proof = fingerprint(root(settings))
    return PHONES.format(
        page=page, code=code.getvalue(), url=network_url(settings), proof=f"{proof[:47]}\n    {proof[48:]}"
    )
