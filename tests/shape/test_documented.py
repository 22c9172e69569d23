"""Every setting, command and error code stands in the reference; decisions are numbered without gaps."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points

from restante.cli.main import app
from restante.protocol.codes import CODES
from restante.server.config import PREFIX, Settings
from tests.shape.source import ROOT, SOURCE, python_files

REFERENCE = ROOT / "docs" / "reference"


def test_each_setting_is_documented():
    text = (REFERENCE / "settings.md").read_text()
    assert [name for name in Settings.__struct_fields__ if f"`{PREFIX}{name.upper()}`" not in text] == []


def test_each_server_code_is_documented():
    text = (REFERENCE / "errors.md").read_text()
    assert [code for code in CODES if f"`{code}`" not in text] == []


def test_each_client_code_is_documented():
    text = (REFERENCE / "errors.md").read_text()
    rooms = [SOURCE / room for room in ("signing", "transparency", "crypto", "media", "client")]
    codes = {
        code
        for room in rooms
        for path in python_files(room)
        for code in re.findall(
            r"^    code(?:: [\w\[\]]+)? = \"([a-z0-9-]+)\"", path.read_text(), re.MULTILINE
        )
    }
    assert codes
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_no_server_code_is_left_unused():
    text = "\n".join(path.read_text() for path in python_files(SOURCE / "server"))
    assert [code for code in CODES if f'"{code}"' not in text] == []


def test_each_command_is_documented():
    text = (REFERENCE / "cli.md").read_text()
    commands = {name for name in app if not name.startswith("-")}
    commands |= {found.name for found in entry_points(group="restante.commands")}
    assert len(commands) > 8
    assert {name for name in commands if f"restante {name}" not in text} == set()


def test_each_dependency_is_explained():
    text = (ROOT / "docs" / "dependencies.md").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["server"],
        *project["project"]["optional-dependencies"]["scale"],
        *project["project"]["optional-dependencies"]["otel"],
        *(name for group in project["dependency-groups"].values() for name in group),
        *json.loads((ROOT / "package.json").read_text())["devDependencies"],
        *json.loads((ROOT / "web" / "package.json").read_text())["devDependencies"],
        *json.loads((ROOT / "web" / "package.json").read_text())["dependencies"],
    ]
    names = {re.split(r"[<>=\[]", name)[0] for name in declared}
    assert len(names) > 30
    assert {
        name for name in names if not re.search(rf"(?<![\w@/-]){re.escape(name)}(?![\w/-])", text)
    } == set()


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_vector_generator_imports_none_of_our_code():
    assert not re.search(
        r"^\s*(from|import) restante", (ROOT / "protocol" / "generate.py").read_text(), re.MULTILINE
    )


def test_generated_files_are_up_to_date():
    subprocess.run([sys.executable, "tools/generate.py", "--check"], cwd=ROOT, check=True)
