"""Nodes are upgraded one after the other, and one is set back, while people use them: they notice nothing.

The release before is the tree as it was when the migration before the newest was the last; `UPGRADE_FROM` may name another commit.
"""

import asyncio
import os
import random
import subprocess
from pathlib import Path

import pytest
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from restante.server.db import migrate
from tests.databases import cluster
from tests.faults.site import Site, site
from tests.faults.trial import FOR_S, endure, suffer
from tests.faults.weather import DRAINED_WITHIN_S
from tests.nodes import Node
from tests.serving import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(FOR_S * 3 + 240)]
BETWEEN_S = 3.0
"""For how long both releases serve, each time."""


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def release_before() -> str:
    """Its commit."""
    if named := os.environ.get("UPGRADE_FROM"):
        return git("rev-parse", named)
    newest = next((Path(migrate.__file__).parent / "migrations" / "versions").glob(f"{migrate.HEAD}_*.py"))
    added = git("log", "--diff-filter=A", "--format=%H", "--", str(newest))
    assert added, f"{newest.name} is in no commit yet"
    return git("rev-parse", f"{added}^")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of the release before; its libraries are those of this one."""
    folder, commit = tmp_path_factory.mktemp("before"), release_before()
    packed = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
    print(f"the release before is {commit[:12]}")
    return folder / "src"


def revision(place: Site) -> str | None:
    with place.postgres.engine(place.database.rpartition("/")[2]).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


async def _replace(place: Site, node: Node, source: Path | None) -> None:
    """Stops a node as an operator does, and starts the other release in its place; None: this one."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    assert await asyncio.to_thread(node.stop) == 0
    assert loop.time() - began_s < DRAINED_WITHIN_S
    settings = {name: value for name, value in place.settings.items() if name != "PYTHONPATH"}
    if source is not None:
        settings["PYTHONPATH"] = str(source)
    await asyncio.to_thread(lambda: node.start(**settings))


def test_one_node_after_the_other_and_one_back(tmp_path, weed, seed, before):
    database = cluster().empty(f"upgrade_{seed}")
    more = {"RESTANTE_DATABASE_URL": database, "PYTHONPATH": str(before)}
    with site(tmp_path, count=2, seed=seed, weed=weed, **more) as place:
        place.database = database
        old, seen = revision(place), []

        async def upgrade(_: Site, __: random.Random, over: asyncio.Event) -> None:
            first, second = place.nodes
            for node, source in ((first, None), (first, before), (first, None), (second, None)):
                await asyncio.sleep(BETWEEN_S)
                await _replace(place, node, source)
                seen.append(revision(place))
            await over.wait()

        suffer(place, upgrade, seed=seed)
        assert old is not None
        assert old <= migrate.HEAD
        assert seen == [migrate.HEAD] * 4, "the schema stays where the first of the new nodes brought it"


def test_a_contraction_would_be_noticed(tmp_path, weed, seed):
    """The control: what a node uses goes while it serves."""

    async def contract(place: Site, _: random.Random, over: asyncio.Event) -> None:
        await asyncio.sleep(BETWEEN_S)
        with place.postgres.engine(place.database.rpartition("/")[2]).connect() as connection:
            connection.execute(text("ALTER TABLE envelopes RENAME COLUMN box TO tray"))
        await over.wait()

    async def whole(place: Site) -> list[str]:
        trial = await endure(place, contract, seed=seed, for_s=8)
        await trial.load.close()
        return trial.book.broken

    with site(tmp_path, count=1, seed=seed, weed=weed) as place:
        assert any(": 500 " in said for said in asyncio.run(whole(place)))
