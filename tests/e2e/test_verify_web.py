"""`restante verify-web`: a server that hands out another app, were it to one visitor in three, is told."""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from restante.cli.main import run
from restante.client.verify_web import installed_manifest
from restante.protocol.web_manifest import NAME, BadManifest, read
from restante.transparency.notes import NoteKey, SignedNote
from tests.serving import ROOT, Server


@dataclass(frozen=True)
class Sent:
    """One answer on its way, as raw bytes."""

    agent: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes


Lie = Callable[[Sent], Sent]


@contextmanager
def lying(target: str, lie: Lie) -> Iterator[str]:
    """Passes requests on to the real server and lies about some; bytes stay as they were compressed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            asked = {key: value for key, value in self.headers.items() if key.lower() != "host"}
            with upstream.stream("GET", self.path, headers=asked) as real:
                body = b"".join(real.iter_raw())
            kept = {
                key: value
                for key, value in real.headers.items()
                if key not in {"content-length", "date", "server"}
            }
            sent = lie(Sent(self.headers["user-agent"], self.path, real.status_code, kept, body))
            self.send_response(sent.status)
            for key, value in sent.headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(sent.body)))
            self.end_headers()
            self.wfile.write(sent.body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with httpx.Client(base_url=target, trust_env=False) as upstream:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


def verified(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[dict[str, str]], str]:
    code = run(["verify-web", *map(str, words), "--json"])
    out, err = capfd.readouterr()
    return code, json.loads(out or "[]"), err


def test_an_honest_server_hands_out_what_the_package_has(
    house: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    code, found, err = verified(capfd, house.url)
    assert (code, found) == (0, []), err
    assert "are as they must be" in err
    assert "not signed" in err, "a build of one's own says so"


def a_worker() -> str:
    return next(
        one.path for one in installed_manifest(()).manifest.files if one.path.startswith("/workers/crypto")
    )


def to(agent: str, path: str, change: Lie) -> Lie:
    """Lies to one visitor about one address, and to nobody else about anything."""
    return lambda sent: change(sent) if agent in sent.agent and sent.path == path else sent


def more(sent: Sent) -> Sent:
    return replace(sent, body=sent.body + b" ")


def with_header(**headers: str) -> Lie:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda sent: replace(sent, headers=sent.headers | named)


def weaker(sent: Sent) -> Sent:
    policy = sent.headers["content-security-policy"].replace("script-src 'self'", "script-src 'self' https:")
    return replace(sent, headers=sent.headers | {"content-security-policy": policy})


LIES: dict[str, tuple[str, str, Lie, str]] = {
    "another page for one": ("Firefox", "/", more, "content"),
    "another page at one address": ("Chrome", "/inbox", more, "content"),
    "another service worker": ("iPhone", "/sw.js", more, "content"),
    "another worker, compressed": ("Chrome", "WORKER", more, "content"),
    "another worker, unpacked": ("iPhone", "WORKER", more, "content"),
    "a weaker policy": ("Firefox", "/", weaker, "policy"),
    "a worker without a policy": (
        "Firefox",
        "WORKER",
        lambda sent: replace(
            sent, headers={k: v for k, v in sent.headers.items() if k != "content-security-policy"}
        ),
        "policy",
    ),
    "another type": ("iPhone", "/sw.js", with_header(content_type="text/html"), "type"),
    "a header that loads more": (
        "Chrome",
        "/",
        with_header(link="</evil.js>; rel=preload; as=script"),
        "header",
    ),
    "no such file": ("Firefox", "WORKER", lambda sent: replace(sent, status=404), "missing"),
}


def in_rounds() -> list[list[str]]:
    """Each look at a whole app takes a second or two, so lies that do not touch the same answer are told together."""
    rounds: list[list[str]] = []
    for name, (agent, path, *_) in LIES.items():
        for told in rounds:
            if all(LIES[other][:2] != (agent, path) for other in told):
                told.append(name)
                break
        else:
            rounds.append([name])
    return rounds


@pytest.mark.parametrize("names", in_rounds(), ids=", ".join)
def test_a_lie_to_one_visitor_is_named(
    house: Server, webapp: Path, capfd: pytest.CaptureFixture[str], names: list[str]
) -> None:
    visitors = {"Chrome": "chromium", "Firefox": "firefox, signed in", "iPhone": "safari"}
    told = [LIES[name] for name in names]
    told = [
        (agent, a_worker() if path == "WORKER" else path, change, what) for agent, path, change, what in told
    ]

    def lie(sent: Sent) -> Sent:
        for agent, path, change, _ in told:
            sent = to(agent, path, change)(sent)
        return sent

    with lying(house.url, lie) as url:
        code, found, err = verified(capfd, url)
    assert code == 1
    assert {(one["visitor"], one["path"], one["what"]) for one in found} == {
        (visitors[agent], path, what) for agent, path, _, what in told
    }
    assert len(found) == len(told)
    assert "error: The server hands out another web app" in err
    assert "hint: " in err


def test_a_proxy_that_compresses_anew_is_no_difference(
    house: Server, webapp: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def anew(sent: Sent) -> Sent:
        if sent.headers.get("content-encoding") != "gzip":
            return sent
        return replace(sent, body=gzip.compress(gzip.decompress(sent.body), 1))

    with lying(house.url, anew) as url:
        assert verified(capfd, url)[:2] == (0, [])


def key_tool(*words: object) -> str:
    ran = subprocess.run(
        [sys.executable, ROOT / "tools" / "release-key", *map(str, words)],
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout.strip()


def test_a_signed_manifest_is_believed_by_its_key_alone(
    house: Server, webapp: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(webapp / NAME, tmp_path / NAME)
    key = key_tool("new", tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert key_tool("sign", tmp_path / "key", tmp_path) == key == key_tool("sign", tmp_path / "key", tmp_path)
    stranger = key_tool("new", tmp_path / "stranger")
    signed = tmp_path / NAME
    code, found, err = verified(capfd, house.url, "--manifest", signed, "--key", key)
    assert (code, found) == (0, [])
    assert "not signed" not in err
    for words in (
        ["--manifest", signed, "--key", stranger],
        ["--manifest", webapp / NAME, "--key", key],
        ["--key", key],
    ):
        code, found, err = verified(capfd, house.url, *words)
        assert (code, found) == (1, [])
        assert "not signed with the release key" in err
    show = signed.read_bytes()
    with lying(house.url, lambda sent: replace(sent, body=show) if sent.path == f"/{NAME}" else sent) as url:
        assert verified(capfd, url, "--key", key)[:2] == (0, []), (
            "the server's own manifest, signed by a known key"
        )


@pytest.mark.long
def test_a_release_is_made_signed_and_checked_by_one_command(webapp: Path, tmp_path: Path) -> None:
    tree, unsigned = tmp_path / "tree", (webapp / NAME).read_bytes()
    for name in ("src", "tools"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    note = tree / webapp.relative_to(ROOT) / NAME
    key = key_tool("new", tmp_path / "key")

    def release(key_file: Path, to: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, tree / "tools" / "release", key_file, tmp_path / to]
        return subprocess.run(words, check=False, capture_output=True, text=True, timeout=200)

    made = release(tmp_path / "key", "dist")
    assert made.returncode == 0, made.stderr
    (wheel,) = (tmp_path / "dist").iterdir()
    assert made.stdout.splitlines()[-1] == f"key     {key}"
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in made.stdout
    with zipfile.ZipFile(wheel) as package:
        released = SignedNote.read(package.read(f"restante/server/webapp/{NAME}"))
    assert released.text_signed_by(NoteKey.parse(key)).encode() == unsigned
    assert note.read_bytes() == unsigned, "what was built here stays unsigned"

    (note.parent / "index.html").write_text("another page")
    refused = release(tmp_path / "key", "damaged")
    assert refused.returncode == 1
    assert "error: the release is not what its manifest says" in refused.stderr
    assert not (tmp_path / "damaged").exists()
    shutil.copy(tmp_path / "key", tree / "key")
    assert "lies in the repository" in release(tree / "key", "inside").stderr


def test_a_changed_manifest_is_told(
    house: Server, webapp: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for damaged in (b"", b"x", b"\xff", (webapp / NAME).read_bytes().replace(b"file ", b"fil ", 1)):
        (tmp_path / NAME).write_bytes(damaged)
        code, _, err = verified(capfd, house.url, "--manifest", tmp_path / NAME)
        assert code == 1
        assert "The manifest cannot be read" in err


@pytest.mark.parametrize(
    "text", ["", "restante/1 web\n", "restante/1 web\nversion 1\n", "restante/1 web\nversion 1\nfile x\n"]
)
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(BadManifest):
        read(text)


def test_pages_may_read_videos_from_the_bucket_that_was_named_and_no_other(
    house: Server, webapp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = "https://s3.example/videos/"

    def direct(sent: Sent) -> Sent:
        policy = sent.headers.get("content-security-policy", "")
        widened = policy.replace("connect-src 'self';", f"connect-src 'self' {bucket};", 1)
        is_page = "worker-src" in policy
        return (
            replace(sent, headers={**sent.headers, "content-security-policy": widened}) if is_page else sent
        )

    with lying(house.url, direct) as url:
        assert run(["verify-web", url, "--videos-from", bucket]) == 0
        assert run(["verify-web", url]) == 1
        assert run(["verify-web", url, "--videos-from", "https://s3.example/other/"]) == 1
        assert run(["verify-web", url, "--videos-from", "https://s3.example/; script-src *"]) == 2
    assert run(["verify-web", house.url, "--videos-from", bucket]) == 1
    capsys.readouterr()


def test_the_manifest_is_served_and_names_every_file(house: Server, webapp: Path) -> None:
    with httpx.Client(base_url=house.url, trust_env=False) as client:
        answer = client.get(f"/{NAME}")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    manifest = read(answer.text)
    files = {
        f"/{path.relative_to(webapp).as_posix()}"
        for path in webapp.rglob("*")
        if path.is_file() and path.relative_to(webapp).parts[0] != ".vite" and path.name != NAME
    }
    assert {one.path for one in manifest.files} == files
    kinds = {one.policy for one in manifest.files if one.path.endswith((".html", ".js"))}
    assert {"page", "service-worker", "recorder", "wasm-worker", "data"} <= kinds
