"""Content-Security-Policy and Trusted Types on every answer without exception: every file, address, coding and refusal."""

import json
import re
from pathlib import Path

import httpx
import pytest

from restante.server.edge import policies
from restante.server.edge.headers import DEFAULTS
from restante.server.edge.policies import policy_of
from tests.building import build_into
from tests.serving import ROOT, Server

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
DATA = DEFAULTS[b"content-security-policy"].decode()
ADDRESSES = """/ /sign-up /sign-in /inbox /sent /people /settings /record /drafts /watch/msg_x /review/x /pair /app-reset
/some/where /index.html /tlogs /apis /problemsx""".split()
"""Of the app, known and unknown."""
OTHERS = """/api/v1/server /api/v1/sessions /api/v1/nothing /api/v1/openapi/openapi.json /livez /readyz /problems/not-found
/problems/x /tlog/key /tlog/checkpoint /tlog/witnesses /tlog/tile/0/999 /tlog/x /.well-known/x /favicon.ico /robots.txt /assets/none.js
/workers/none.js /.vite/manifest.json""".split()


@pytest.fixture(scope="module")
def client(house: Server):
    with httpx.Client(base_url=house.url, trust_env=False) as client:
        yield client


def policy(answer: httpx.Response) -> str:
    (found,) = answer.headers.get_list("content-security-policy")
    assert not {"content-security-policy-report-only"} & set(answer.headers)
    assert "require-trusted-types-for 'script'" in found
    assert "default-src 'none'" in found
    assert "unsafe-inline" not in found
    assert "unsafe-eval'" not in found.replace("'wasm-unsafe-eval'", "")
    return found


def files(webapp: Path) -> list[str]:
    names = (path.relative_to(webapp) for path in webapp.rglob("*") if path.is_file())
    return [
        f"/{name.as_posix()}"
        for name in names
        if name.suffix not in {".br", ".gz"} and name.parts[0] != ".vite"
    ]


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_every_file_has_the_policy_of_its_kind(client: httpx.Client, webapp: Path, coding: str) -> None:
    seen = set()
    for path in files(webapp):
        for method in ("GET", "HEAD"):
            with client.stream(method, path, headers={"accept-encoding": coding}) as answer:
                assert answer.status_code == 200, path
                assert policy(answer) == (policy_of(path) or DATA.encode()).decode(), path
                seen.add(policy(answer))
        with client.stream("GET", path, headers={"if-none-match": answer.headers["etag"]}) as again:
            assert again.status_code in {200, 304}
            assert policy(again) in seen
    kinds = (policies.PAGE, policies.SERVICE_WORKER, policies.WASM_WORKER, policies.RECORDER)
    assert {kind.decode() for kind in kinds} | {DATA} <= seen, "each kind was met"


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_app_is_the_page_under_its_policy(client: httpx.Client, address: str) -> None:
    answer = client.get(address, headers={"accept": HTML})
    assert answer.status_code == 200
    assert policy(answer) == policies.PAGE.decode()
    assert "trusted-types restante;" in policy(answer)


@pytest.mark.parametrize("accept", [HTML, "*/*", "application/json"])
@pytest.mark.parametrize("address", OTHERS)
def test_everything_else_is_data_that_can_do_nothing(client: httpx.Client, address: str, accept: str) -> None:
    answer = client.get(address, headers={"accept": accept})
    if answer.headers["content-type"].startswith("text/html"):
        assert accept == HTML
        assert policy(answer) == policies.PAGE.decode(), "the app answers what it does not know"
    else:
        assert policy(answer) == DATA


def test_refusals_and_other_methods_have_it_too(client: httpx.Client) -> None:
    for method, path in (
        ("POST", "/"),
        ("PUT", "/sw.js"),
        ("OPTIONS", "/api/v1/server"),
        ("DELETE", "/tlog/key"),
    ):
        assert policy(client.request(method, path)) == DATA
    assert policy(client.get("/" + "a" * 9000)) == DATA
    assert policy(client.get("/", headers={"x-large": "a" * 20_000})) == DATA
    assert policy(client.post("/api/v1/sign-in", json={})) == DATA


def test_nothing_in_the_app_is_inline_or_from_elsewhere(webapp: Path) -> None:
    """What a policy would hold back is not even there."""
    page = (webapp / "index.html").read_text()
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert re.findall(r"<style|\son\w+=|\sstyle=|javascript:", page) == []
    assert {
        found for found in re.findall(r'(?:src|href)="([^"]+)"', page) if not found.startswith("/")
    } == set()


def test_two_builds_are_equal_to_the_bit(webapp: Path, tmp_path: Path) -> None:
    """The second one in another folder; made again only when a source has changed."""
    second = build_into(tmp_path / "second", "vite.config.ts")
    left_out = {"release.note"}  # written by what calls the build
    one, other = (
        {path.relative_to(root): path for path in root.rglob("*") if path.is_file()}
        for root in (webapp, second)
    )
    names = {name for name in one if name.name not in left_out}
    assert names == set(other)
    assert len(names) > 100
    assert [str(name) for name in sorted(names) if one[name].read_bytes() != other[name].read_bytes()] == []
    manifest = json.loads((webapp / ".vite" / "manifest.json").read_text())
    assert all(re.search(r"-[\w-]{8}\.\w+$", part["file"]) for part in manifest.values()), (
        "a hash in each name"
    )
    assert str(ROOT) not in "".join(
        one[name].read_text(errors="replace") for name in names if name.suffix == ".js"
    )
