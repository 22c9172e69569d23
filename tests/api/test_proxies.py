"""The example configurations of deploy/, with the real programs: a live upload, a range and news go through each of them at once."""

import contextlib
import hashlib
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from restante.server.certs import authority
from restante.server.certs.authority import Names
from tests.api import people
from tests.api.listening import Listener
from tests.api.parcels import TUS, send, send_video, until
from tests.api.people import make_account, new_client, sign_up_form
from tests.serving import ROOT, Server, free_port, serving

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]
DEPLOY = ROOT / "deploy"
PIECE = 64 * 1024
Changes = dict[str, str]


@dataclass(frozen=True)
class Proxy:
    """A running proxy and what stands behind it."""

    url: str
    server: Server


def example(name: str, changes: Changes) -> str:
    """The shipped file with this machine's ports and certificates; each change must have found its place."""
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    return text


def nginx(folder: Path, port: int, behind: int, more: Changes) -> list[str]:
    changes = {
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{behind};",
        "server_name post.example;": "server_name localhost;",
        "/etc/letsencrypt/live/post.example/fullchain.pem": f"{folder}/chain.pem",
        "/etc/letsencrypt/live/post.example/privkey.pem": f"{folder}/key.pem",
    }
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    site = example("nginx.conf", changes | more)
    (folder / "nginx.conf").write_text(
        f"user root; daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} {site} }}"
    )
    return ["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]


def caddy(folder: Path, port: int, behind: int, more: Changes) -> list[str]:
    changes = {
        "grace_period 10s": "grace_period 1s\n\tadmin off\n\tauto_https disable_redirects",
        "127.0.0.1:8080 {": f"127.0.0.1:{behind} {{",
        "post.example {": f"https://localhost:{port} {{\n\ttls {folder}/chain.pem {folder}/key.pem",
    }
    (folder / "Caddyfile").write_text(example("Caddyfile", changes | more))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]


def haproxy(folder: Path, port: int, behind: int, more: Changes) -> list[str]:
    (folder / "both.pem").write_bytes((folder / "chain.pem").read_bytes() + (folder / "key.pem").read_bytes())
    changes = {
        "bind :443": f"bind 127.0.0.1:{port}",
        "/etc/haproxy/certs/post.example.pem": f"{folder}/both.pem",
        "127.0.0.1:8080": f"127.0.0.1:{behind}",
    }
    (folder / "haproxy.cfg").write_text(example("haproxy.cfg", changes | more))
    return ["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"]


PROXIES: dict[str, Callable[[Path, int, int, Changes], list[str]]] = {
    "nginx": nginx,
    "caddy": caddy,
    "haproxy": haproxy,
}


@contextlib.contextmanager
def standing_before(kind: str, server: Server, folder: Path, more: Changes | None = None) -> Iterator[Proxy]:
    folder.mkdir()
    port = free_port()
    for name, pem in certificates().items():
        (folder / name).write_bytes(pem)
    command = PROXIES[kind](folder, port, server.port, more or {})
    with (folder / "log").open("wb") as log:
        environ = {
            **os.environ,
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environ)
    url = f"https://localhost:{port}"
    try:
        until(lambda: answers(url) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield Proxy(url, server)
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError), new_client(url) as client:
        return client.get("/readyz").status_code == 200
    return False


_MADE: dict[str, bytes] = {}


def certificates() -> dict[str, bytes]:
    if not _MADE:
        names = Names(("localhost",), (ip_address("127.0.0.1"),))
        root = authority.make_authority("test", names, datetime.now(UTC))
        leaf = authority.issue(root, names, datetime.now(UTC))
        _MADE.update({"chain.pem": leaf.pem + root.pem, "key.pem": leaf.key_pem, "root.pem": root.pem})
    return _MADE


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "TLS", ssl.create_default_context(cadata=certificates()["root.pem"].decode()))


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"RESTANTE_TRUSTED_PROXIES": "127.0.0.1,::1"}
    with serving(tmp_path_factory.mktemp("behind") / "data", **env) as server:
        yield server


def offset_during_upload(proxy: Proxy) -> int:
    """Sends three pieces and holds the rest back; returns what the server has of it by then, and finishes."""
    ann = make_account(proxy.url)
    data = os.urandom(4 * PIECE)
    created = ann.client.post("/api/v1/uploads", headers={**TUS, "upload-length": str(len(data))})
    location, may_end, answered = created.headers["location"], threading.Event(), []

    def slowly() -> Iterator[bytes]:
        for at in range(0, 3 * PIECE, PIECE):
            yield data[at : at + PIECE]
        may_end.wait(30)
        yield data[3 * PIECE :]

    def upload() -> None:
        head = {**TUS, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
        with new_client(proxy.url, ann.token) as client:
            answered.append(client.patch(location, content=slowly(), headers=head).status_code)

    thread = threading.Thread(target=upload)
    thread.start()
    directly = new_client(proxy.server.url, ann.token)
    seen, deadline = 0, time.monotonic() + 4
    while seen < 3 * PIECE and time.monotonic() < deadline:
        seen = stored(proxy.server, location)
        time.sleep(0.05)
    may_end.set()
    thread.join(30)
    assert answered == [204]
    head = directly.head(location, headers=TUS)
    assert head.headers["upload-offset"] == str(len(data))
    directly.close()
    return seen


def stored(server: Server, location: str) -> int:
    """What lies on the disk; to ask for the offset would take the lease from who is writing."""
    name = location.rpartition("/")[2]
    return next((path.stat().st_size for path in (server.data / "blobs").rglob(name)), 0)


@pytest.mark.parametrize("kind", PROXIES)
def test_uploads_ranges_and_news_go_through_at_once(
    kind: str, behind: Server, tmp_path: Path, trusting: None
) -> None:
    with standing_before(kind, behind, tmp_path / kind) as proxy:
        assert offset_during_upload(proxy) == 3 * PIECE, "it was stored while it was recorded"
        ann, bob = make_account(proxy.url), make_account(proxy.url)
        data = os.urandom(1_000_000)
        with Listener(bob) as listener:
            begun_s = time.monotonic()
            parcel = send_video(ann, bob, data=data)
            heard = listener.next(10)
            assert heard.at_s - begun_s < 3
            time.sleep(1)
            send(ann, bob)
            listener.next(3)
        video = f"/api/v1/messages/{parcel.id}/video"
        part = bob.client.get(video, headers={"range": "bytes=300000-699999"})
        assert (part.status_code, part.headers["content-range"]) == (206, "bytes 300000-699999/1000000")
        assert part.content == data[300_000:700_000]
        whole = bob.client.get(video)
        assert hashlib.sha256(whole.content).digest() == hashlib.sha256(data).digest()
        assert whole.headers["content-security-policy"]
        assert "content-encoding" not in whole.headers


@pytest.mark.parametrize("kind", PROXIES)
def test_who_is_asked_for_cannot_be_forged(kind: str, tmp_path: Path, trusting: None) -> None:
    """Limits are by network: a client's own word for its address counts only where a trusted proxy gives it."""
    env = {"RESTANTE_TRUSTED_PROXIES": "127.0.0.1,::1", "RESTANTE_RATE_SIGN_UP": "1/600s"}
    with serving(tmp_path / "data", **env) as server, standing_before(kind, server, tmp_path / kind) as proxy:

        def sign_up(url: str, forged: str, whence: str = "127.0.0.2") -> int:
            way = httpx.HTTPTransport(local_address=whence, verify=people.TLS)
            with httpx.Client(base_url=url, transport=way) as client:
                form = sign_up_form(people.new_name())
                heard = client.post("/api/v1/accounts", json=form, headers={"x-forwarded-for": forged})
                return heard.status_code

        assert sign_up(proxy.url, "9.9.9.9") == 201
        assert sign_up(proxy.url, "8.8.8.8") == 429, "it is 127.0.0.2 all the same"
        assert sign_up(server.url, "7.7.7.7", "127.0.0.1") == 201, "the proxy itself would be believed"


def test_with_buffering_the_same_test_fails(behind: Server, tmp_path: Path, trusting: None) -> None:
    """The control: nginx as it comes keeps a body until it is whole."""
    buffering = {"proxy_request_buffering off;": "proxy_request_buffering on;"}
    with standing_before("nginx", behind, tmp_path / "buffering", buffering) as proxy:
        assert offset_during_upload(proxy) == 0
