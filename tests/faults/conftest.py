"""What all trials need: a bucket, and a seed that is told."""

import os
import secrets
from collections.abc import Iterator

import pytest

from tests import seaweed
from tests.seaweed import Seaweed


@pytest.fixture(scope="session")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture
def seed() -> int:
    found = int(os.environ.get("FAULTS_SEED", secrets.randbelow(2**32)))
    print(f"seed {found}")
    return found
