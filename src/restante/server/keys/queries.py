"""SQL of account records, keyrings and state shards. See [Note: Statements made once]."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, update

from restante.server.db.tables import account_records, accounts, keyrings, log_entries, state_shards

AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes and their version."""

    version: str
    data: bytes


# Account records

_OF_NAME = (
    select(account_records.c.rev, account_records.c.record, log_entries.c.leaf)
    .join(accounts, accounts.c.id == account_records.c.account_id)
    .join(
        log_entries,
        and_(
            log_entries.c.account_id == account_records.c.account_id,
            log_entries.c.rev == account_records.c.rev,
        ),
    )
    .where(accounts.c.name == bindparam("known_as"))
)
_RECORDS = _OF_NAME.order_by(account_records.c.rev)
_LATEST_RECORD = _OF_NAME.order_by(account_records.c.rev.desc()).limit(1)
_NEWEST_REV = select(func.max(account_records.c.rev)).where(
    account_records.c.account_id == bindparam("account")
)
_ADD_RECORD = insert(account_records)


def records(connection: Connection, name: str) -> list[AnyRow]:
    """All records of a name, oldest first; none for a name that nobody has."""
    return list(connection.execute(_RECORDS, {"known_as": name}))


def latest_record(connection: Connection, name: str) -> AnyRow | None:
    """The newest record of a name."""
    return connection.execute(_LATEST_RECORD, {"known_as": name}).first()


def newest_rev(connection: Connection, account_id: int) -> int:
    return int(connection.execute(_NEWEST_REV, {"account": account_id}).scalar() or 0)


def add_record(connection: Connection, account_id: int, *, rev: int, record: bytes, now_ms: int) -> None:
    row = {"account_id": account_id, "rev": rev, "record": record, "created_at": now_ms}
    connection.execute(_ADD_RECORD, row)


# Keyrings

_OF_ACCOUNT = keyrings.c.account_id == bindparam("account")
_KEYRING = select(keyrings.c.version, keyrings.c.keyring).where(_OF_ACCOUNT)
_ADD_KEYRING = insert(keyrings)
_REPLACE_KEYRING = (
    update(keyrings)
    .where(_OF_ACCOUNT)
    .values(
        previous=keyrings.c.keyring,
        version=bindparam("etag"),
        keyring=bindparam("data"),
        updated_at=bindparam("now"),
    )
)


def keyring(connection: Connection, account_id: int) -> Stored | None:
    row = connection.execute(_KEYRING, {"account": account_id}).first()
    return Stored(row.version, row.keyring) if row else None


def add_keyring(connection: Connection, account_id: int, stored: Stored, *, now_ms: int) -> None:
    row = {
        "account_id": account_id,
        "version": stored.version,
        "keyring": stored.data,
        "previous": None,
        "updated_at": now_ms,
    }
    connection.execute(_ADD_KEYRING, row)


def replace_keyring(connection: Connection, account_id: int, stored: Stored, *, now_ms: int) -> None:
    """Stores a new keyring; what was current becomes the previous one."""
    new = {"account": account_id, "etag": stored.version, "data": stored.data, "now": now_ms}
    connection.execute(_REPLACE_KEYRING, new)


# State shards

_SHARDS_OF_ACCOUNT = state_shards.c.account_id == bindparam("account")
_THIS_SHARD = (_SHARDS_OF_ACCOUNT, state_shards.c.shard == bindparam("called"))
_SHARD = select(state_shards.c.version, state_shards.c.bytes).where(*_THIS_SHARD)
_SHARDS = (
    select(state_shards.c.shard, state_shards.c.version)
    .where(_SHARDS_OF_ACCOUNT)
    .order_by(state_shards.c.shard)
)
_ADD_SHARD = insert(state_shards)
_REPLACE_SHARD = (
    update(state_shards)
    .where(*_THIS_SHARD)
    .values(version=bindparam("etag"), bytes=bindparam("data"), updated_at=bindparam("now"))
)


def shard(connection: Connection, account_id: int, name: str) -> Stored | None:
    row = connection.execute(_SHARD, {"account": account_id, "called": name}).first()
    return Stored(row.version, row.bytes) if row else None


def shards(connection: Connection, account_id: int) -> list[AnyRow]:
    """Names and versions of all shards, by name."""
    return list(connection.execute(_SHARDS, {"account": account_id}))


def add_shard(connection: Connection, account_id: int, name: str, stored: Stored, *, now_ms: int) -> None:
    row = {
        "account_id": account_id,
        "shard": name,
        "version": stored.version,
        "bytes": stored.data,
        "updated_at": now_ms,
    }
    connection.execute(_ADD_SHARD, row)


def replace_shard(connection: Connection, account_id: int, name: str, stored: Stored, *, now_ms: int) -> None:
    new = {
        "account": account_id,
        "called": name,
        "etag": stored.version,
        "data": stored.data,
        "now": now_ms,
    }
    connection.execute(_REPLACE_SHARD, new)
