"""SQL of account records, keyrings and state shards."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from restante.server.db.tables import account_records, accounts, keyrings, state_shards

AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes and their version."""

    version: str
    data: bytes


def records(connection: Connection, name: str) -> list[AnyRow]:
    """All records of a name, oldest first; none for a name that nobody has."""
    return list(
        connection.execute(
            select(account_records.c.rev, account_records.c.record)
            .join(accounts, accounts.c.id == account_records.c.account_id)
            .where(accounts.c.name == name)
            .order_by(account_records.c.rev)
        )
    )


def latest_record(connection: Connection, name: str) -> AnyRow | None:
    """The newest record of a name."""
    return connection.execute(
        select(account_records.c.rev, account_records.c.record)
        .join(accounts, accounts.c.id == account_records.c.account_id)
        .where(accounts.c.name == name)
        .order_by(account_records.c.rev.desc())
        .limit(1)
    ).first()


def newest_rev(connection: Connection, account_id: int) -> int:
    rev = select(func.max(account_records.c.rev)).where(account_records.c.account_id == account_id)
    return int(connection.execute(rev).scalar() or 0)


def add_record(connection: Connection, account_id: int, *, rev: int, record: bytes, now_ms: int) -> None:
    connection.execute(
        insert(account_records).values(account_id=account_id, rev=rev, record=record, created_at=now_ms)
    )


def keyring(connection: Connection, account_id: int) -> Stored | None:
    row = connection.execute(
        select(keyrings.c.version, keyrings.c.keyring).where(keyrings.c.account_id == account_id)
    ).first()
    return Stored(row.version, row.keyring) if row else None


def add_keyring(connection: Connection, account_id: int, stored: Stored, *, now_ms: int) -> None:
    connection.execute(
        insert(keyrings).values(
            account_id=account_id,
            version=stored.version,
            keyring=stored.data,
            previous=None,
            updated_at=now_ms,
        )
    )


def replace_keyring(connection: Connection, account_id: int, stored: Stored, *, now_ms: int) -> None:
    """Stores a new keyring; what was current becomes the previous one."""
    connection.execute(
        update(keyrings)
        .where(keyrings.c.account_id == account_id)
        .values(previous=keyrings.c.keyring, version=stored.version, keyring=stored.data, updated_at=now_ms)
    )


def shard(connection: Connection, account_id: int, name: str) -> Stored | None:
    row = connection.execute(
        select(state_shards.c.version, state_shards.c.bytes).where(
            state_shards.c.account_id == account_id, state_shards.c.shard == name
        )
    ).first()
    return Stored(row.version, row.bytes) if row else None


def shards(connection: Connection, account_id: int) -> list[AnyRow]:
    """Names and versions of all shards, by name."""
    return list(
        connection.execute(
            select(state_shards.c.shard, state_shards.c.version)
            .where(state_shards.c.account_id == account_id)
            .order_by(state_shards.c.shard)
        )
    )


def add_shard(connection: Connection, account_id: int, name: str, stored: Stored, *, now_ms: int) -> None:
    connection.execute(
        insert(state_shards).values(
            account_id=account_id, shard=name, version=stored.version, bytes=stored.data, updated_at=now_ms
        )
    )


def replace_shard(connection: Connection, account_id: int, name: str, stored: Stored, *, now_ms: int) -> None:
    connection.execute(
        update(state_shards)
        .where(state_shards.c.account_id == account_id, state_shards.c.shard == name)
        .values(version=stored.version, bytes=stored.data, updated_at=now_ms)
    )
