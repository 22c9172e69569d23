"""What stands in deploy/ names settings, options and files that there are."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from restante.server.commands.serve import serve
from restante.server.config import CONFIG, PREFIX, SECRETS, BadSettings, Settings, from_environment
from tests.shape.source import ROOT

DEPLOY = ROOT / "deploy"
FILES = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".lock"]
TEXTS = {str(path.relative_to(DEPLOY)): path.read_text() for path in FILES}
GUIDES = [ROOT / "docs" / "guides" / name for name in ("install.md", "several-nodes.md")]
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def test_each_variable_is_a_setting():
    named = {name for text in TEXTS.values() for name in re.findall(rf"{PREFIX}[A-Z_]+\b", text)}
    assert len(named) > 4
    known = {PREFIX + field.upper() for field in Settings.__struct_fields__} | {CONFIG}
    assert named <= known | {f"{PREFIX}{field.upper()}_FILE" for field in SECRETS}


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


def test_the_guides_name_each_file():
    text = "\n".join(guide.read_text() for guide in GUIDES)
    own = {name for name in TEXTS if not name.startswith(("prometheus/", "kubernetes/"))}
    assert {name for name in own if f"deploy/{name}" not in text} == set()
    assert {path.name for path in MANIFESTS if f"`{path.name}`" not in text} == set()


def lint(tool: str, *arguments: str) -> tuple[int, str]:
    """What `make lint` calls, and how it ended."""
    done = subprocess.run(
        [Path(sys.executable).with_name(tool), *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["compose.yaml", "scaled/compose.yaml"])
def test_a_broken_compose_file_would_be_refused(name, tmp_path):
    schema = ("--builtin-schema", "vendor.compose-spec")
    assert lint("check-jsonschema", *schema, str(DEPLOY / name)) == (0, "ok -- validation done\n")
    spoilt = tmp_path / "compose.yaml"
    spoilt.write_text(TEXTS[name].replace("restart:", "restrat:"))
    code, said = lint("check-jsonschema", *schema, str(spoilt))
    assert code != 0
    assert "restrat" in said


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("nodes.yaml", "readOnlyRootFilesystem:", "readOnlyRootFileSystem:"),
        ("nodes.yaml", "replicas: 2", "replicas: two"),
        ("network.yaml", "pathType: Prefix", "path_type: Prefix"),
        ("settings.yaml", "post.example\n", "[post.example]\n"),
    ],
)
def test_a_broken_manifest_would_be_refused(name, right, wrong, tmp_path):
    release = re.findall(r"^KUBERNETES \?= (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0]
    arguments = ("--quiet", "--strict", "-k", release)
    assert lint("kubernetes-validate", *arguments, str(DEPLOY / "kubernetes" / name))[0] == 0
    spoilt = tmp_path / name
    text = TEXTS[f"kubernetes/{name}"]
    assert right in text
    spoilt.write_text(text.replace(right, wrong))
    assert lint("kubernetes-validate", *arguments, str(spoilt))[0] != 0


def parts_of(name: str) -> dict[str, Any]:
    """The manifests of a file by their kind."""
    return {part["kind"]: part for part in yaml.safe_load_all(TEXTS[f"kubernetes/{name}"])}


def test_what_the_manifests_say_of_each_other_is_true():
    parts, network = parts_of("nodes.yaml"), parts_of("network.yaml")
    pods = parts["Deployment"]["spec"]["template"]
    labels = pods["metadata"]["labels"]
    assert parts["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert parts["Service"]["spec"]["selector"] == labels
    assert parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert network["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert parts["PodDisruptionBudget"]["spec"]["minAvailable"] < parts["Deployment"]["spec"]["replicas"]
    (path,) = network["Ingress"]["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == parts["Service"]["metadata"]["name"]
    (container,) = pods["spec"]["containers"]
    config = parts_of("settings.yaml")["ConfigMap"]["metadata"]["name"]
    assert container["envFrom"] == [{"configMapRef": {"name": config}}]
    places = {mount["mountPath"] for mount in container["volumeMounts"]}
    given = {entry["name"]: entry.get("value") for entry in container["env"]}
    for name, value in given.items():
        assert not name.endswith("_FILE") or any(value.startswith(place) for place in places)


def test_a_pod_is_given_the_time_that_a_stop_takes():
    pod = parts_of("nodes.yaml")["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    before_s = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > before_s + Settings().drain_s


def test_a_pod_is_not_told_of_services_as_if_they_were_settings():
    """A service called restante would set RESTANTE_PORT to tcp://…: the control shows what that does."""
    assert parts_of("nodes.yaml")["Deployment"]["spec"]["template"]["spec"]["enableServiceLinks"] is False
    with pytest.raises(BadSettings, match="RESTANTE_SERVICE_HOST is not a setting"):
        from_environment({"RESTANTE_SERVICE_HOST": "10.43.0.7"})
    with pytest.raises(BadSettings, match="RESTANTE_PORT"):
        from_environment({"RESTANTE_PORT": "tcp://10.43.0.7:80"})


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


@pytest.mark.long
def test_the_compose_file_of_several_nodes_asks_for_what_must_be_given():
    tool = shutil.which("docker-compose")
    if tool is None:
        pytest.skip("docker-compose is Debian's package of that name")
    given = {"PATH": os.environ["PATH"], "SITE": "post.example", "DATABASE_PASSWORD": "a", "BLOB_SECRET": "b"}
    given["BUS_PASSWORD"] = "c"

    def read(env: dict[str, str]) -> tuple[int, str]:
        command = [tool, "-f", "scaled/compose.yaml", "config"]
        done = subprocess.run(command, cwd=DEPLOY, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, said = read(given)
    assert code == 0
    assert "postgresql://restante:a@postgres/restante" in said
    for name in ("SITE", "DATABASE_PASSWORD", "BUS_PASSWORD", "BLOB_SECRET"):
        code, said = read({key: value for key, value in given.items() if key != name})
        assert code != 0
        assert name in said
