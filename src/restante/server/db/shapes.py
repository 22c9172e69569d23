"""How a table of the schema is written; see ``tables``."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only makes INTEGER PRIMARY KEY an alias of the row id; PostgreSQL wants 64 bits.
Big = BigInteger().with_variant(Integer(), "sqlite")


def a_column(name: str, kind: Any, comment: str, *args: Any, **options: Any) -> Column[Any]:
    """A column that is never null unless it says so, and says what it holds."""
    options.setdefault("nullable", False)
    return Column(name, kind, *args, comment=comment, **options)


def an_account(**options: Any) -> Column[Any]:
    """The shard key; its rows go with the account."""
    return a_column(
        "account_id", Big, "whose row it is", ForeignKey("accounts.id", ondelete="CASCADE"), **options
    )


def a_partial_index(name: str, *columns: str, where: str) -> Index:
    """An index of the few rows that a sweep or a limit looks at, so that it stays small."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def a_table(name: str, *parts: Any, **options: Any) -> Table:
    """A strict table of the schema."""
    return Table(name, metadata, *parts, sqlite_strict=True, **options)
