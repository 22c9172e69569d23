"""The tests can fail: each bug is sown into a copy of the source, and the suite that guards against it must report it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.anomaly.sowing import Bug, sow
from tests.serving import ROOT

POWER = "tests/anomaly/test_power_loss.py::test_neither_power_loss_nor_process_death_loses_anything_acknowledged[0]"
BUGS = (
    Bug(
        "one-flush-removed",
        "server/uploads/durable.py",
        'self._every_byte = settings.durability == "power"',
        "self._every_byte = False",
        POWER,
    ),
    Bug(
        "acknowledged-before-the-commit",
        "server/db/engine.py",
        'failpoint("db-before-commit")',
        "_answer(outcomes)",
        POWER,
    ),
    Bug(
        "idempotency-key-not-looked-up",
        "server/messages/sending.py",
        "known = self._by_key(connection)",
        "known = None",
        "tests/api/test_send.py::test_another_request_under_a_used_key_is_refused",
    ),
    Bug(
        "offset-one-too-small",
        "server/blobs/local.py",
        "return os.fstat(self._descriptor).st_size",
        "return max(0, os.fstat(self._descriptor).st_size - 1)",
        "tests/api/test_tus_patch.py",
    ),
    Bug(
        "sweep-without-grace",
        "server/uploads/sweeps.py",
        "if now_s - since_s >= grace_s",
        "if now_s - since_s >= grace_s * 0",
        "tests/api/test_sweeps.py",
    ),
)


LIGHT = [word for name in ("cacheprovider", "xdist", "hypothesispytest") for word in ("-p", f"no:{name}")]
"""No plugins: what they import takes longer than a guard."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_sown_bug_is_caught(bug: Bug, tmp_path: Path):
    sow(bug, tmp_path)
    command = [sys.executable, "-m", "pytest", "-x", "-q", *LIGHT, bug.guard]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, f"not caught:\n{run.stdout[-2000:]}{run.stderr[-500:]}"
    assert "1 failed" in run.stdout
