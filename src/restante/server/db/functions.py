"""Functions that SQLite and PostgreSQL call by different names."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement, ReturnTypeFromArgs

UNIQUE_VIOLATION = "23505"
"""SQLSTATE of PostgreSQL."""


class Greatest(ReturnTypeFromArgs[Any]):
    """The greatest of its arguments."""

    name = "greatest"
    inherit_cache = True


@compiles(Greatest, "sqlite")
def _in_sqlite(element: Greatest, compiler: Any, **options: Any) -> str:
    arguments: str = compiler.process(element.clause_expr, **options)
    return f"max{arguments}"


class NowMs(FunctionElement[int]):
    """The database's own clock, in ms: the one that all nodes share."""

    type = BigInteger()
    inherit_cache = True


@compiles(NowMs, "postgresql")
def _of_postgresql(*_: Any, **__: Any) -> str:
    return "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"


@compiles(NowMs, "sqlite")
def _of_sqlite(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


def is_taken(error: IntegrityError) -> bool:
    """Tells whether a row was refused because another has its key."""
    return getattr(error.orig, "sqlstate", "") == UNIQUE_VIOLATION or "UNIQUE" in str(error.orig)
