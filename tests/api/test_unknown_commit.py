"""A commit on PostgreSQL of which nobody knows whether it was kept."""

from typing import Any

import pytest

from restante.server.db import postgres
from restante.server.db.postgres import PostgresDatabase
from restante.server.errors import RetryLater


@pytest.mark.parametrize("size", [1, 3])
def test_it_is_not_run_again_whoever_shares_it(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    tries: list[int] = []

    def lost(_: Any, batch: list[Any], **__: Any) -> list[Any]:
        tries.append(len(batch))
        raise RetryLater("busy", seconds=2)

    monkeypatch.setattr(postgres, "_attempt", lost)
    database: Any = object.__new__(PostgresDatabase)
    database._beginning_again = set()
    outcomes = database._run_batch(None, [object()] * size)
    assert tries == [size]
    assert [type(error) for _, _, error in outcomes] == [RetryLater] * size
