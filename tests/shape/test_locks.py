"""ADR 0002: locks pin content by hash and name no address."""

import json
import re

import pytest

from tests.shape.source import ROOT


def test_python_lock_has_a_hash_for_each_package_and_no_address():
    text = (ROOT / "requirements.lock").read_text()
    packages = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert len(packages) > 50
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []
    assert "://" not in text


@pytest.mark.parametrize("folder", [".", "web"])
def test_npm_lock_has_integrity_and_no_address(folder):
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert {name for name, entry in packages.items() if "integrity" not in entry} == set()
    assert {name for name, entry in packages.items() if "resolved" in entry} == set()
