"""What this server's promises rest on in PostgreSQL: looked at when it starts, one sentence for each that is missing."""

from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, text
from sqlalchemy.exc import DBAPIError

from restante.server.db.engine import UnsafeDatabase

OLDEST = 14
"""The oldest release that still gets its mends."""

_PROMISES = text(
    "SELECT current_setting('server_version_num')::int / 10000 AS release, current_setting('fsync') AS fsync,"
    " current_setting('full_page_writes') AS full_page_writes,"
    " current_setting('synchronous_commit') AS synchronous_commit,"
    " current_setting('server_encoding') AS encoding, 'B' < 'a' AS by_code_point,"
    " current_setting('transaction_isolation') AS isolation,"
    " quote_ident(current_user) AS me, quote_ident(current_database()) AS database, current_schema() AS schema,"
    " coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_make,"
    " (SELECT quote_ident(tableowner) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'meta') AS owner,"
    " (SELECT bool_and(pg_has_role(tableowner, 'USAGE')) FROM pg_tables"
    " WHERE schemaname = current_schema() AND tablename = 'meta') AS owned"
)
_NO_SERIALIZABLE = "0A000"
"""A standby has no serializable transactions, and says so at the first word."""
_WHO = select(func.pg_backend_pid())


def check(connection: Connection) -> None:
    """Raises UnsafeDatabase with one sentence when a promise of this server could not be kept."""
    try:
        found = connection.execute(_PROMISES).one()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NO_SERIALIZABLE:
            raise
        raise UnsafeDatabase(
            "PostgreSQL: this is a standby, which takes no writes; name the primary"
        ) from error
    if (wrong := _unsafe(found) or _forbidden(found)) is not None:
        raise UnsafeDatabase(f"PostgreSQL: {wrong}")


def check_sessions(engine: Engine) -> None:
    """Raises UnsafeDatabase where a connection is not one session of the database from its beginning to its end.

    A pooler that lends a session for one transaction only gives the second connection the one that the first had, or the
    first another one once that is taken.
    """
    with engine.connect() as one, engine.connect() as other:
        with one.begin():
            before = one.execute(_WHO).scalar_one()
        with other.begin():
            taken = other.execute(_WHO).scalar_one()
            with one.begin():
                after = one.execute(_WHO).scalar_one()
    if not before == after != taken:
        raise UnsafeDatabase(
            "PostgreSQL: something between here and there does not keep sessions; a pooler must have pool_mode = session"
        )


def _unsafe(found: Row[Any]) -> str | None:
    if found.release < OLDEST:
        return f"release {found.release} is too old, {OLDEST} or a newer one is needed"
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        if getattr(found, setting) == "off":
            return f"{setting} is off: acknowledged messages could be lost"
    if found.encoding != "UTF8" or not found.by_code_point:
        return (
            "the database must be in UTF8 and sort by code point:"
            " createdb --template=template0 --encoding=UTF8 --locale=C NAME"
        )
    if found.isolation != "serializable":
        return f"transactions are {found.isolation} and not serializable: something between here and there changes them"
    return None


def _forbidden(found: Row[Any]) -> str | None:
    if not found.may_make:
        where = f"schema {found.schema}" if found.schema else "any schema of its search_path"
        return (
            f"{found.me} may not make tables in {where}: ALTER DATABASE {found.database} OWNER TO {found.me}"
        )
    if found.owned is False:
        return (
            f"the tables belong to {found.owner} and not to {found.me}, who could not migrate them:"
            f" pg_restore --no-owner --role={found.me}, or name {found.owner} in the address"
        )
    return None
