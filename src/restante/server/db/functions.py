"""Functions that SQLite and PostgreSQL call by different names."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import ReturnTypeFromArgs


class Greatest(ReturnTypeFromArgs[Any]):
    """The greatest of its arguments."""

    name = "greatest"
    inherit_cache = True


@compiles(Greatest, "sqlite")
def _in_sqlite(element: Greatest, compiler: Any, **options: Any) -> str:
    arguments: str = compiler.process(element.clause_expr, **options)
    return f"max{arguments}"
