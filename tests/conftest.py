"""Fixtures that several suites share: one running server per worker, more when a test asks."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import databases, nodes, seaweed
from tests import serving as starting
from tests.serving import Server, serving

# How long one example takes says more about the machine than about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
# A shell ignores Ctrl-C for what it starts in the background, and so would every command that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--blobs", choices=["files", "seaweedfs"], default="files")
    parser.addoption("--database", choices=["sqlite", databases.POSTGRESQL], default="sqlite")
    parser.addoption("--stack", choices=["embedded", "scaled"], default="embedded")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--stack") == "scaled":  # two nodes, and what they need between them
        config.option.database, config.option.blobs = databases.POSTGRESQL, "seaweedfs"
        starting.kind = nodes.Nodes
    databases.engine_name = config.getoption("--database")
    if databases.in_use() == databases.POSTGRESQL:
        databases.tell_commands()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    elsewhere = {"sqlite": databases.in_use() != "sqlite", "files": config.getoption("--blobs") != "files"}
    for item in items:
        for marker, is_elsewhere in elsewhere.items():
            if is_elsewhere and item.get_closest_marker(marker):
                item.add_marker(
                    pytest.mark.skip(reason=f"marked `{marker}`: of another store than this run's")
                )


@pytest.fixture(scope="session", autouse=True)
def _bucket(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """With ``--blobs seaweedfs``, where every server started by a test keeps its videos."""
    if request.config.getoption("--blobs") == "files":
        yield
        return
    with seaweed.running(tmp_path_factory.mktemp("weed")) as weed, pytest.MonkeyPatch.context() as patch:
        for name, value in weed.environment().items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that tests share: each makes accounts of its own."""
    with serving(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes servers of a test's own; keyword arguments are environment variables."""
    with ExitStack() as stack:
        count = 0

        def make(**env: str) -> Server:
            nonlocal count
            count += 1
            return stack.enter_context(serving(tmp_path / f"data{count}", **env))

        yield make
