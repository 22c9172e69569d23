"""The web app as the server hands it out: types, caching, codings, policies, and its page for every address of its own."""

import asyncio
import gzip
import io
import json
import re
from pathlib import Path

import httpx
import pytest

from restante.server.clock import SystemClock
from restante.server.config import Settings
from restante.server.edge import webapp
from restante.server.edge.guard import Guard
from restante.server.edge.policies import REPORTS
from restante.server.edge.webapp import chosen_coding, load
from restante.server.log import Log
from tests.api.people import assert_problem, new_client
from tests.api.test_headers import SECURITY
from tests.serving import Server

HTML = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "accept-encoding": "identity"}
SCRIPT = b"export const a = 1;" * 200
FILES = {
    "index.html": b"<!doctype html><title>Restante</title>",
    "guest.html": b"<!doctype html><title>Restante</title><link rel=modulepreload href=/assets/index-abc.js>",
    "sw.js": b"self.addEventListener('fetch', () => {});",
    "manifest.webmanifest": b"{}",
    "icons/icon.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "icons/icon-192.png": b"\x89PNG",
    "assets/index-abc.js": SCRIPT,
    "assets/index-abc.js.br": b"brotli",
    "assets/index-abc.js.gz": gzip.compress(SCRIPT),
    "assets/face-abc.woff2": b"wOF2",
    "workers/take-abc.js": SCRIPT,
    "workers/take-aac-abc.js": SCRIPT,
    "workers/crypto-abc.js": SCRIPT,
    "workers/novelty-abc.js": SCRIPT,
    ".vite/manifest.json": b"{}",
    "notes.txt": b"not a kind of file that the app has",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("webapp")
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def ask(folder: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """One request to the app's files alone, behind the real edge; 404 where the rest of the server would be asked."""
    app = load(folder)

    async def files_only(scope, receive, send) -> None:
        if file := app.find(scope):
            await file.send(scope, send)
        else:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def run() -> httpx.Response:
        guard = Guard(files_only, Settings(), Log(SystemClock(), key=b"k", stream=io.StringIO()))
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
            plain = {"accept": "*/*", "accept-encoding": "identity"}
            return await client.request(method, path, headers=plain | headers)

    return asyncio.run(run())


def directives(answer: httpx.Response) -> dict[str, str]:
    (policy,) = answer.headers.get_list("content-security-policy")
    parts = [part.strip().partition(" ") for part in policy.split(";")]
    assert len({name for name, _, _ in parts}) == len(parts), "a directive twice: the second one is ignored"
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("path", ["/", "/record", "/watch/msg_x", "/@ann", "/index.html", "/a.b/c.png"])
def test_every_address_that_people_open_is_the_page(folder: Path, path: str) -> None:
    answer = ask(folder, path, **HTML)
    assert answer.status_code == 200
    assert answer.content == FILES["index.html"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    for name, value in SECURITY.items():
        assert answer.headers.get_list(name) == [value]


def test_who_comes_by_a_link_gets_the_page_that_names_its_screen(folder: Path) -> None:
    answer = ask(folder, "/m/lnk_x", **HTML)
    assert answer.content == FILES["guest.html"]
    page = ask(folder, "/", **HTML)
    for name in ("content-type", "cache-control", "vary", "content-security-policy"):
        assert answer.headers.get_list(name) == page.headers.get_list(name)
    assert ask(folder, "/m", **HTML).content == FILES["index.html"]


@pytest.mark.parametrize("path", ["/api/v1/inbox", "/api", "/problems/not-found", "/livez", "/readyz"])
def test_what_is_the_servers_is_never_the_page(folder: Path, path: str) -> None:
    assert ask(folder, path, **HTML).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/record",
        "/",
        "/notes.txt",
        "/assets/gone-abc.js",
        "/.vite/manifest.json",
        "/../etc/passwd",
        "/assets/",
    ],
)
def test_programs_get_files_that_exist_and_nothing_else(folder: Path, path: str) -> None:
    assert ask(folder, path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_reading_reaches_the_files(folder: Path, method: str) -> None:
    assert ask(folder, "/index.html", method, **HTML).status_code == 404


def test_the_page_runs_our_scripts_and_nothing_else(folder: Path) -> None:
    policy = directives(ask(folder, "/", **HTML))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["trusted-types"] == "restante"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert not [value for value in policy.values() if "unsafe" in value or "data:" in value or "*" in value]


WORKERS = {
    "/workers/take-abc.js": {"script-src": "'wasm-unsafe-eval'", "connect-src": "'self'"},
    "/workers/take-aac-abc.js": {"script-src": "'wasm-unsafe-eval'", "connect-src": "'self'"},
    "/workers/crypto-abc.js": {"script-src": "'wasm-unsafe-eval'"},
    "/workers/novelty-abc.js": {},
    "/sw.js": {"img-src": "'self'", "connect-src": "'self'"},
}


@pytest.mark.parametrize("path", WORKERS)
def test_each_worker_file_may_what_it_must_and_no_more(folder: Path, path: str) -> None:
    policy = directives(ask(folder, path))
    always = {"default-src": "'none'", "require-trusted-types-for": "'script'", "trusted-types": "'none'"}
    assert policy == always | WORKERS[path] | {"report-uri": REPORTS}


@pytest.mark.parametrize(
    ("path", "kind", "caching"),
    [
        ("/assets/index-abc.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/workers/take-abc.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/face-abc.woff2", "font/woff2", "public, max-age=31536000, immutable"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "public, max-age=3600"),
        ("/icons/icon-192.png", "image/png", "public, max-age=3600"),
        ("/icons/icon.svg", "image/svg+xml", "public, max-age=3600"),
    ],
)
def test_each_file_has_its_type_and_its_time(folder: Path, path: str, kind: str, caching: str) -> None:
    answer = ask(folder, path)
    assert answer.content == FILES[path[1:]]
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (kind, caching)
    assert answer.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", b"br"),
        ("br;q=0.1, gzip;q=0.9", b"gzip"),
        ("br;q=0, gzip", b"gzip"),
        ("GZIP", b"gzip"),
        ("br;q=none", b"identity"),
        ("deflate", b"identity"),
        ("", b"identity"),
    ],
)
def test_the_best_coding_that_the_client_takes_is_chosen(accepted: str, coding: bytes) -> None:
    headers = [(b"accept-encoding", accepted.encode())]
    assert chosen_coding(headers, [b"identity", b"br", b"gzip"]) == coding
    assert chosen_coding(headers, [b"identity"]) == b"identity"


def test_a_compressed_copy_is_the_same_file(folder: Path) -> None:
    answer = ask(folder, "/assets/index-abc.js", **{"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == SCRIPT
    assert int(answer.headers["content-length"]) == len(FILES["assets/index-abc.js.gz"])
    assert answer.headers["etag"] != ask(folder, "/assets/index-abc.js").headers["etag"]


def test_head_tells_the_length_and_sends_nothing(folder: Path) -> None:
    answer = ask(folder, "/assets/index-abc.js", "HEAD")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(SCRIPT)
    assert answer.content == b""


def test_what_the_browser_has_is_not_sent_again(folder: Path) -> None:
    first = ask(folder, "/", **HTML)
    again = ask(folder, "/", **HTML, **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert directives(again) == directives(first), (
        "a 304 renews the stored headers: the policy must be among them"
    )
    assert ask(folder, "/", **HTML, **{"if-none-match": '"other"'}).status_code == 200


def test_without_the_app_a_browser_is_told_so(tmp_path: Path) -> None:
    answer = ask(tmp_path, "/", **HTML)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.content == webapp.NOT_BUILT
    assert directives(answer)["default-src"] == "'none'"
    assert ask(tmp_path, "/").status_code == 404, "programs are answered by the rest of the server"


def test_a_program_at_the_root_is_still_told_about_the_command(server: Server) -> None:
    with new_client(server.url) as program:
        assert "restante sign-up" in program.get("/", headers={"accept": "*/*"}).text


def report(**fields: str) -> dict[str, dict[str, str]]:
    return {"csp-report": {name.replace("_", "-"): value for name, value in fields.items()}}


def reports_in(server: Server) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in server.log().splitlines() if '"policy-report"' in line]
    return [{"directive": line["directive"], "blocked": line["blocked"]} for line in lines]


def test_a_report_is_logged_by_two_words_and_not_one_address(new_server) -> None:
    server: Server = new_server()
    secret = "https://secret.example/msg_canary?k=canary"
    bodies = [
        report(
            effective_directive="script-src-elem",
            blocked_uri=secret,
            document_uri=secret,
            script_sample="canary",
        ),
        report(violated_directive="style-src-attr 'self'", blocked_uri="inline"),
        report(effective_directive="CANARY canary", blocked_uri="Canary.canary/canary"),
    ]
    with new_client(server.url) as browser:
        for body in bodies:
            answer = browser.post(REPORTS, json=body, headers={"content-type": "application/csp-report"})
            assert (answer.status_code, answer.content) == (204, b"")
        assert_problem(browser.post(REPORTS, content=b"{"), 400, "bad-json")
        assert_problem(browser.post(REPORTS, content=b"[]"), 400, "bad-json")
        assert_problem(browser.post(REPORTS, content=b" " * 20_000), 413, "too-large")
        assert_problem(browser.get(REPORTS, headers=HTML), 405, "method-not-allowed")
    assert reports_in(server) == [
        {"directive": "script-src-elem", "blocked": "https"},
        {"directive": "style-src-attr", "blocked": "inline"},
        {"directive": "", "blocked": ""},
    ]
    assert not re.search("canary|secret", server.log(), re.IGNORECASE)


def test_reports_cannot_fill_the_log(new_server) -> None:
    server: Server = new_server()
    with new_client(server.url) as browser:
        for _ in range(200):
            assert browser.post(REPORTS, json=report(effective_directive="img-src")).status_code == 204
    assert 20 <= len(reports_in(server)) <= 40
