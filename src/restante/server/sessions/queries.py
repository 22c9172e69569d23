"""SQL of sessions."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from restante.server.db.tables import accounts, sessions

AnyRow = Row[*tuple[Any, ...]]


def add(
    connection: Connection, *, session_id: str, account_id: int, token_sha256: bytes, client: str, now_ms: int
) -> None:
    connection.execute(
        insert(sessions).values(
            id=session_id,
            account_id=account_id,
            token_sha256=token_sha256,
            client=client,
            created_at=now_ms,
            last_seen_at=now_ms,
        )
    )


def by_token(connection: Connection, token_sha256: bytes, *, seen_after_ms: int) -> AnyRow | None:
    """The session and the name of its account, unless it has been unused since ``seen_after_ms``."""
    return connection.execute(
        select(
            sessions.c.id, sessions.c.account_id, sessions.c.client, sessions.c.last_seen_at, accounts.c.name
        )
        .join(accounts, accounts.c.id == sessions.c.account_id)
        .where(sessions.c.token_sha256 == token_sha256, sessions.c.last_seen_at > seen_after_ms)
    ).first()


def of_account(connection: Connection, account_id: int, *, seen_after_ms: int) -> list[AnyRow]:
    """All live sessions of the account, the one used last first."""
    return list(
        connection.execute(
            select(sessions.c.id, sessions.c.client, sessions.c.created_at, sessions.c.last_seen_at)
            .where(sessions.c.account_id == account_id, sessions.c.last_seen_at > seen_after_ms)
            .order_by(sessions.c.last_seen_at.desc(), sessions.c.created_at.desc(), sessions.c.id)
        )
    )


def remove(connection: Connection, account_id: int, session_id: str) -> bool:
    """Removes a session of the account; tells whether there was one."""
    result = connection.execute(
        delete(sessions).where(sessions.c.id == session_id, sessions.c.account_id == account_id)
    )
    return result.rowcount > 0


def remove_all(connection: Connection, account_id: int) -> None:
    connection.execute(delete(sessions).where(sessions.c.account_id == account_id))


def remove_unused(connection: Connection, *, seen_before_ms: int) -> int:
    """Removes sessions that have been unused since ``seen_before_ms``; returns how many."""
    return connection.execute(delete(sessions).where(sessions.c.last_seen_at <= seen_before_ms)).rowcount


def touch(connection: Connection, session_id: str, *, now_ms: int) -> None:
    """Moves ``last_seen_at`` forward, never back."""
    connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.last_seen_at < now_ms)
        .values(last_seen_at=now_ms)
    )
