"""Who runs this server: accounts that showed a link which only its terminal prints.

[Note: Operators by link] The right to operate is a row, and the only way to it is a secret that whoever has the data folder can make:
printed at the first start, or by `restante operator link`. It is good once, for half an hour; stored is its SHA-256. It opens
nothing by itself: the account that shows it was signed in before, by its own passkey or passphrase.
"""

import hashlib
import secrets
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from restante.protocol.encoding import b64, unb64
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.operators import queries
from restante.server.sessions.actor import Actor

PATH = "/operator/link#"
"""Where a link leads; its secret follows."""
LINK_MS = timedelta(minutes=30) // timedelta(milliseconds=1)
_TOKEN_BYTES = 32


class Operators:
    """Knows them, and makes them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, actor: Actor, link: str) -> None:
        """Makes the account an operator, once per link. Raises Refusal operator-link-gone.

        Whoever is one already stays one: an answer may have been lost.
        """
        digest, now_ms = _digest(link), self._clock.now_ms()

        def work(connection: Connection) -> None:
            is_good = queries.take_link(connection, digest, now_ms=now_ms)
            if queries.since(connection, actor.account_id) is not None:
                return
            if not is_good:
                raise Refusal("operator-link-gone")
            queries.add(connection, actor.account_id, now_ms=now_ms)

        await self._database.write(work)
        failpoint("operator-made")

    async def since(self, actor: Actor) -> int | None:
        """When the account became an operator; None: it is none."""
        return await self._database.read(partial(queries.since, account_id=actor.account_id))

    async def sweep(self, now_ms: int) -> int:
        """Removes links whose time is over; returns how many."""
        return await self._database.write(partial(queries.forget_links, now_ms=now_ms))


def require(connection: Connection, actor: Actor) -> None:
    """Lets an operator through, within the caller's transaction. Raises Refusal not-found for everybody else."""
    if queries.since(connection, actor.account_id) is None:
        raise Refusal("not-found")


def make_link(connection: Connection, *, now_ms: int) -> str:
    """Makes a link's secret, as it stands behind the # of its address."""
    token = secrets.token_bytes(_TOKEN_BYTES)
    digest = hashlib.sha256(token).digest()
    queries.add_link(connection, digest, now_ms=now_ms, expires_at=now_ms + LINK_MS)
    return b64(token)


def first_link(connection: Connection, *, now_ms: int) -> str | None:
    """Makes one for a server that nobody has come to yet."""
    return None if queries.is_inhabited(connection) else make_link(connection, now_ms=now_ms)


def listed(connection: Connection) -> list[tuple[str, int]]:
    """Names of the operators, and since when."""
    return queries.listed(connection)


def dismiss(connection: Connection, name: str) -> bool:
    """Takes the right away again; tells whether there was one to take."""
    found = queries.account_id(connection, name)
    return found is not None and queries.remove(connection, found)


def _digest(link: str) -> bytes:
    try:
        token = unb64(link)
    except ValueError:
        token = b""
    return hashlib.sha256(token).digest()
