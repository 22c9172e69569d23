"""Bugs that are sown into a copy of the source, so that a test can show that it would find them.

A bug is one replaced text. When the text is gone, the bug has to be sown elsewhere: that fails as well.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.serving import ROOT


@dataclass(frozen=True)
class Bug:
    """``guard`` is the test that has to report it, where that is not who sows it."""

    name: str
    file: str
    right: str
    wrong: str
    guard: str = ""


def sow(bug: Bug, folder: Path) -> None:
    """Puts a copy of the source with the bug into the folder, for PYTHONPATH."""
    shutil.copytree(ROOT / "src" / "restante", folder / "restante", ignore=shutil.ignore_patterns("webapp"))
    file = folder / "restante" / bug.file
    text = file.read_text()
    assert text.count(bug.right) == 1, "sow it elsewhere"
    file.write_text(text.replace(bug.right, bug.wrong))
