"""What this server has about an account, counted from the rows themselves."""

from sqlalchemy import Connection

from restante.protocol import wire
from restante.server.db.engine import Database
from restante.server.known import queries
from restante.server.sessions.actor import Actor


class Known:
    """Answers one account about itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, actor: Actor) -> wire.Known:
        """Counts everything, in one transaction."""
        return await self._database.read(lambda connection: _known(connection, actor))


def _known(connection: Connection, actor: Actor) -> wire.Known:
    tables = [
        wire.KnownTable(
            table=row.table, rows=row.rows, bytes=int(row.bytes), first_at=row.first_at, last_at=row.last_at
        )
        for row in queries.counts(connection, actor.account_id)
    ]
    return wire.Known(
        name=actor.name,
        created_at=queries.created_at(connection, actor.account_id),
        tables=tables,
        peers=_peers(connection, actor.account_id),
    )


def _peers(connection: Connection, account_id: int) -> list[wire.KnownPeer]:
    """Who wrote to whom; the latest first."""
    there = {row[0]: row for row in queries.was_written_to(connection, account_id)}
    back = {row[0]: row for row in queries.wrote(connection, account_id)}
    peers = []
    for name in there.keys() | back.keys():
        rows = [row for row in (there.get(name), back.get(name)) if row is not None]
        peers.append(
            wire.KnownPeer(
                name=name,
                sent=there[name][1] if name in there else 0,
                received=back[name][1] if name in back else 0,
                bytes=sum(int(row[4]) for row in rows),
                first_at=min(row[2] for row in rows),
                last_at=max(row[3] for row in rows),
            )
        )
    return sorted(peers, key=lambda peer: (-peer.last_at, peer.name))
