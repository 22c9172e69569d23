"""APSW behind the DB-API that SQLAlchemy's SQLite dialect speaks, so that the server's own queries run on a VFS of ours."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import apsw

from tests.anomaly.crashdisk import DiskVFS, PowerFailed

# The standard library's own errors, so that the server recognises them as it does in earnest.
Error = sqlite3.Error
DatabaseError = sqlite3.DatabaseError
OperationalError = sqlite3.OperationalError
IntegrityError = sqlite3.IntegrityError


class Cursor:
    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._cursor = connection.apsw.cursor()
        self._cursor.exec_trace = self._describe
        self._rows: Iterator[Any] = iter(())
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> "Cursor":
        before = self._connection.apsw.total_changes()
        try:
            found = self._cursor.execute(sql, tuple(parameters))
            rows = list(found)
        except apsw.ConstraintError as error:
            raise IntegrityError(str(error)) from error
        except PowerFailed:
            raise
        except OSError as error:
            raise OperationalError(f"disk I/O error: {error}") from error
        except apsw.Error as error:
            raise OperationalError(str(error)) from error
        self._rows = iter(rows)
        self.rowcount = self._connection.apsw.total_changes() - before
        self.lastrowid = self._connection.apsw.last_insert_rowid()
        return self

    def _describe(self, cursor: Any, _: str, __: Any) -> bool:
        """Columns are known before the first step only: afterwards an empty result forgets them."""
        columns = cursor.get_description()
        self.description = tuple((column[0], *([None] * 6)) for column in columns) or None
        return True

    def executemany(self, sql: str, many: Iterable[Iterable[Any]]) -> "Cursor":
        changed = 0
        for parameters in many:
            changed += self.execute(sql, parameters).rowcount
        self.rowcount = changed
        return self

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[Any]:
        return [row for _, row in zip(range(size), self._rows, strict=False)]

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def close(self) -> None:
        self._rows = iter(())


class Connection:
    isolation_level = None

    def __init__(self, name: str, vfs: DiskVFS) -> None:
        self.vfs = vfs  # it must live as long as the connection
        self.apsw = apsw.Connection(name, vfs=vfs.vfs_name)

    def cursor(self) -> Cursor:
        return Cursor(self)

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Cursor:
        return self.cursor().execute(sql, parameters)

    def create_function(self, name: str, count: int, function: Any, **_: Any) -> None:
        self.apsw.create_scalar_function(name, function, count)

    def commit(self) -> None:
        if not self.apsw.get_autocommit():
            self.execute("COMMIT")

    def rollback(self) -> None:
        if not self.apsw.get_autocommit():
            self.execute("ROLLBACK")

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a crashed disk cannot be asked nicely
            self.apsw.close(True)


def module() -> ModuleType:
    """The driver module that `create_engine(module=…)` wants."""
    made = ModuleType("apsw_dbapi")
    made.__dict__.update(
        paramstyle="qmark",
        threadsafety=1,
        sqlite_version_info=tuple(int(part) for part in apsw.sqlite_lib_version().split(".")),
        sqlite_version=apsw.sqlite_lib_version(),
        Error=Error,
        DatabaseError=DatabaseError,
        OperationalError=OperationalError,
        IntegrityError=IntegrityError,
        ProgrammingError=DatabaseError,
        InterfaceError=DatabaseError,
        DataError=DatabaseError,
        InternalError=DatabaseError,
        NotSupportedError=DatabaseError,
        Binary=bytes,
        PARSE_DECLTYPES=1,
        PARSE_COLNAMES=2,
    )
    return made
