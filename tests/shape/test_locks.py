"""ADR 0002: locks pin content by hash and name no address."""

import json
import re
import subprocess
import sys
import tomllib

import pytest

from tests.shape.source import ROOT


def locked(name: str) -> dict[str, str]:
    """What stands about each package, by its name and version."""
    packages = re.split(r"^(?=\S)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    return {package.split()[0]: package for package in packages}


def hashes(text: str) -> list[str]:
    return re.findall(r"--hash=(\S+)", text)


@pytest.mark.parametrize("name", ["requirements.lock", "deploy/requirements.lock"])
def test_python_lock_has_a_hash_for_each_package_and_no_address(name):
    packages = locked(name)
    assert len(packages) > 50
    assert [package for package, text in packages.items() if "--hash=sha256:" not in text] == []
    assert "://" not in (ROOT / name).read_text()


def test_a_servers_machine_gets_what_was_tested_and_no_more():
    everything, server = locked("requirements.lock"), locked("deploy/requirements.lock")
    assert set(server) < set(everything)
    assert [package for package in server if hashes(server[package]) != hashes(everything[package])] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = {package.partition("==")[0] for package in server}
    extras = project["project"]["optional-dependencies"]
    asked = [*project["project"]["dependencies"], *extras["server"], *extras["scale"], *extras["otel"]]
    assert {re.split(r"[<>=\[]", each)[0] for each in asked} - names == {"av"}, (
        "what the server may not import"
    )
    assert names.isdisjoint({"pytest", "mypy", "playwright", "scipy"})


IMPORTING = """
import importlib.metadata, pkgutil, re, sys
there = set(sys.argv[1].split())
brings = importlib.metadata.packages_distributions()


class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        of = {re.sub("[-_.]+", "-", each).lower() for each in brings.get(name.split(".")[0], [])}
        if of and not of & there:
            raise ModuleNotFoundError(f"{name} of {of} is in no server's lock")


sys.meta_path.insert(0, OnlyThese())
import restante.cli.main
import restante.server
for module in pkgutil.walk_packages(restante.server.__path__, "restante.server."):
    if ".migrations" not in module.name:
        __import__(module.name)
"""


def imported_with(names: set[str]) -> str:
    """What every module of the server says of being imported where only these packages are."""
    command = [sys.executable, "-c", IMPORTING, " ".join(names | {"restante"})]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stderr.strip().rpartition("\n")[2]


def test_what_the_server_imports_is_on_a_servers_machine():
    names = {package.partition("==")[0] for package in locked("deploy/requirements.lock")}
    assert imported_with(names) == ""
    assert "psycopg" in imported_with(names - {"psycopg", "psycopg-binary"}), "the control"


@pytest.mark.parametrize("folder", [".", "web"])
def test_npm_lock_has_integrity_and_no_address(folder):
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert {name for name, entry in packages.items() if "integrity" not in entry} == set()
    assert {name for name, entry in packages.items() if "resolved" in entry} == set()
