"""What stands in deploy/ names settings, options and files that there are."""

import re
import shutil
import subprocess
import tomllib

import pytest

from restante.server.commands.serve import serve
from restante.server.config import CONFIG, PREFIX, Settings
from tests.shape.source import ROOT

DEPLOY = ROOT / "deploy"
TEXTS = {path.name: path.read_text() for path in DEPLOY.iterdir() if path.is_file()}


def test_each_variable_is_a_setting():
    named = {name for text in TEXTS.values() for name in re.findall(rf"{PREFIX}[A-Z_]+\b", text)}
    assert len(named) > 4
    assert named <= {PREFIX + field.upper() for field in Settings.__struct_fields__} | {CONFIG}


def test_the_unit_starts_the_server_with_options_that_there_are():
    (command,) = re.findall(r"^ExecStart=\S+/restante serve (.+)$", TEXTS["restante.service"], re.MULTILINE)
    options = re.findall(r"--([a-z-]+)", command)
    assert options
    assert {name.replace("-", "_") for name in options} <= set(serve.__annotations__)


def test_the_container_copies_files_that_there_are():
    (sources,) = re.findall(r"^COPY (.+) /tmp/restante/$", TEXTS["Containerfile"], re.MULTILINE)
    lock, wheel = sources.split()
    assert (ROOT / lock).exists()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert wheel == f"dist/{project['name']}-*.whl"


def test_the_guide_names_each_file():
    guide = (ROOT / "docs" / "guides" / "install.md").read_text()
    assert {name for name in TEXTS if f"deploy/{name}" not in guide} == set()


@pytest.mark.long
def test_the_compose_file_is_one_to_a_real_compose():
    tool = shutil.which("docker-compose")
    if tool is None:
        pytest.skip("docker-compose is Debian's package of that name")
    command = [tool, "-f", "-", "config"]
    read = subprocess.run(
        [tool, "-f", "compose.yaml", "config"], cwd=DEPLOY, capture_output=True, text=True, check=True
    ).stdout
    assert "RESTANTE_TRUSTED_PROXIES: 10.89.77.0/24" in read
    spoilt = TEXTS["compose.yaml"].replace("restart:", "restrat:")
    refused = subprocess.run(command, cwd=DEPLOY, input=spoilt, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "restrat" in refused.stderr
