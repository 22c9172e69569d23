"""Who of several nodes does what only one should do at a time.

[Note: A lease ends] A node that died gives nothing back, so each lease is for a time, after which another node may have it. What
is done under one is therefore such that twice does no harm; the lease spares the work. It is timed by the clock of the
database, which the nodes share.
"""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from restante.server.db.functions import NowMs
from restante.server.db.tables import leases

_THIS = leases.c.name == bindparam("lease")
_UNTIL = NowMs() + bindparam("more", type_=leases.c.until_at.type)
_FIND = select(leases.c.holder, (leases.c.until_at > NowMs()).label("holds")).where(_THIS)
_ADD = insert(leases).values(name=bindparam("lease"), holder=bindparam("node"), until_at=_UNTIL)
_HAVE = update(leases).where(_THIS).values(holder=bindparam("node"), until_at=_UNTIL)
_GIVE_BACK = delete(leases).where(_THIS, leases.c.holder == bindparam("node"))


def take(connection: Connection, name: str, *, node: str, for_ms: int, by_force: bool = False) -> bool:
    """Takes a lease, or keeps it for longer; False while another node has it, unless it is taken by force."""
    row = connection.execute(_FIND, {"lease": name}).first()
    if row is not None and row.holder != node and row.holds and not by_force:
        return False
    connection.execute(_ADD if row is None else _HAVE, {"lease": name, "node": node, "more": for_ms})
    return True


def give_back(connection: Connection, name: str, *, node: str) -> None:
    """Lets others have it at once."""
    connection.execute(_GIVE_BACK, {"lease": name, "node": node})
