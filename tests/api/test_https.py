"""HTTPS in a local network: the server's own authority, how far it reaches, the page that hands it out, and files of the operator's."""

import contextlib
import os
import re
import signal
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from restante.server.certs import authority, page, store
from restante.server.certs.authority import Names, NotVouched, Pair
from restante.server.certs.store import BadCertificate
from restante.server.config import BadSettings, Settings, from_environment
from tests.databases import environment_of
from tests.serving import GENEROUS, ROOT, free_port

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOUSE = Names(("localhost", "shelf", "shelf.local"), (ip_address("127.0.0.1"), ip_address("192.168.1.20")))


def chain(folder: Path, signer: Pair, leaf: Pair) -> tuple[Path, Path]:
    certificate, key = folder / "leaf.crt", folder / "leaf.key"
    certificate.write_bytes(leaf.pem + signer.pem)
    key.write_bytes(leaf.key_pem)
    return certificate, key


def shakes_hands(certificate: Path, key: Path, root: x509.Certificate, name: str) -> str:
    """A client that trusts only this root meets a server; `yes`, or why not."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(certificate, key)
    client.load_verify_locations(cadata=Pair(root, None).pem.decode())  # type: ignore[arg-type]
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(5):
        for side in (ours, theirs):
            try:
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    return "yes"


@pytest.fixture(scope="module")
def signer() -> Pair:
    return authority.make_authority("shelf", HOUSE, datetime.now(UTC))


def test_the_authority_vouches_for_the_house(signer: Pair, tmp_path: Path) -> None:
    files = chain(tmp_path, signer, authority.issue(signer, HOUSE, datetime.now(UTC)))
    for name in ("localhost", "shelf.local", "192.168.1.20"):
        assert shakes_hands(*files, signer.certificate, name) == "yes"
    assert "mismatch" in shakes_hands(*files, signer.certificate, "192.168.1.21")


@pytest.mark.parametrize(
    "names", [Names(("bank.example",), ()), Names((), (ip_address("93.184.216.34"),))], ids=str
)
def test_a_thief_of_its_key_cannot_pretend_to_be_anybody_else(
    signer: Pair, tmp_path: Path, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed by force, clients refuse it; with the same constraints lifted they would not."""
    with pytest.raises(NotVouched):
        authority.issue(signer, names, datetime.now(UTC))
    monkeypatch.setattr(authority, "_may", lambda *_: True)
    name = str([*names.names, *names.addresses][0])
    files = chain(tmp_path, signer, authority.issue(signer, names, datetime.now(UTC)))
    assert "permitted subtree" in shakes_hands(*files, signer.certificate, name)
    wide = authority.make_authority("wide", names, datetime.now(UTC))
    files = chain(tmp_path, wide, authority.issue(wide, names, datetime.now(UTC)))
    assert shakes_hands(*files, wide.certificate, name) == "yes"


def test_a_certificate_is_made_once_and_renewed_in_time(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", tls="local")

    def serial(now: datetime, **more: object) -> tuple[int, str]:
        found = store.shown(Settings(data=settings.data, tls="local", **more), now)  # type: ignore[arg-type]
        assert found is not None
        leaf = x509.load_pem_x509_certificates(found.certificate.read_bytes())[0]
        return leaf.serial_number, authority.fingerprint(store.root(settings))

    first = serial(NOW)
    assert serial(NOW + timedelta(days=300)) == first
    later = serial(NOW + timedelta(days=340))
    assert later[1] == first[1]
    assert later[0] != first[0], "it would have ended within two months"
    named = serial(NOW + timedelta(days=341), tls_names=("attic.local", "10.9.8.7"))
    assert named[1] == first[1]
    assert named[0] != later[0]
    with pytest.raises(BadCertificate, match=r"may not vouch for post\.example"):
        serial(NOW, tls_names=("post.example",))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (settings.data / "tls").iterdir()}
    assert modes == dict.fromkeys(("ca.crt", "ca.key", "server.crt", "server.key"), 0o600)
    assert stat.S_IMODE((settings.data / "tls").stat().st_mode) == 0o700
    (settings.data / "tls" / "ca.key").write_bytes(b"rust")
    with pytest.raises(BadCertificate, match="damaged: bring both back"):
        serial(NOW)


def test_files_of_the_operator_are_looked_at_before_the_start(signer: Pair, tmp_path: Path) -> None:
    certificate, key = chain(tmp_path, signer, authority.issue(signer, HOUSE, datetime.now(UTC)))

    def refused(cert: Path, key: Path) -> str:
        with pytest.raises(BadCertificate) as raised:
            store.shown(Settings(tls="files", tls_cert=str(cert), tls_key=str(key)))
        return str(raised.value)

    assert store.shown(Settings(tls="files", tls_cert=str(certificate), tls_key=str(key))) == store.Shown(
        certificate, key
    )
    assert refused(tmp_path / "none", key).endswith("No such file or directory")
    assert "are no certificate and its key" in refused(certificate, certificate)
    old = authority.issue(signer, HOUSE, datetime.now(UTC) - timedelta(days=400))
    (tmp_path / "old").mkdir()
    assert "ended on" in refused(*chain(tmp_path / "old", signer, old))
    with pytest.raises(BadSettings, match="belong to RESTANTE_TLS=files"):
        from_environment({"RESTANTE_TLS": "files"})


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [("", "fr-CA,en;q=0.8", "fr"), ("", "de-DE,de;q=0.9", "en"), ("en", "fr", "en"), ("xx", "", "en")],
)
def test_the_page_speaks_the_visitors_language(asked: str, accepted: str, language: str) -> None:
    assert page.language_of(asked, accepted) == language


@pytest.mark.parametrize(
    ("browser", "system"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)", "ios"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9)", "android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "macos"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "windows"),
        ("curl/8", ""),
    ],
)
def test_the_steps_of_the_visitors_system_are_open(signer: Pair, browser: str, system: str) -> None:
    assert page.system_of(browser) == system
    for language in page.LANGUAGES:
        text = page.render(signer.certificate, "https://192.168.1.20:8443", language=language, system=system)
        assert text.count("<details open>") == (1 if system else 0)
        assert text.count("<svg") == sum(
            len(each["steps"]) for each in page.WORDS[language]["system"].values()
        )
        assert not re.search(r"<script|\sstyle=|\son\w+=|\ssrc=", text)


def test_both_languages_show_the_same_steps() -> None:
    shape = {
        language: {
            name: [(len(step["rows"]), step["tap"]) for step in each["steps"]]
            for name, each in words["system"].items()
        }
        for language, words in page.WORDS.items()
    }
    assert shape["en"] == shape["fr"]
    assert set(shape["en"]) == set(page.SYSTEMS)


def answers(port: int) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(
            f"https://127.0.0.1:{port}/readyz", verify=ssl._create_unverified_context()
        ).is_success
    return False


@contextlib.contextmanager
def local_house(data: Path, **env: str) -> Iterator[tuple[int, Path]]:
    """The real server with `--tls local`; its port, and what it printed."""
    port, log = free_port(), data.with_suffix(".log")
    command = [sys.executable, "-m", "restante.cli.main", "serve", "--tls", "local"]
    command += ["--data", str(data), "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env={**os.environ, **GENEROUS, **environment_of(data), **env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=ROOT,
        )
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield port, log
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_a_device_that_trusts_nothing_gets_in_by_the_page(tmp_path: Path) -> None:
    """Over the real server: refused at first, then the certificate from the plain page, then everything."""
    with local_house(tmp_path / "data") as (port, log):
        url, doorstep = f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{url}/livez", verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        front = httpx.get(f"{doorstep}/", headers={"accept-language": "fr", "user-agent": "Android"})
        assert front.status_code == 200
        assert "Télécharger le certificat" in front.text
        assert front.headers["content-security-policy"] == page.POLICY
        printed = re.sub(r"\s", "", log.read_text())
        (proof,) = re.findall(r"<code>([0-9A-F:]{95})</code>", front.text)
        assert proof[:47] in printed
        assert proof[48:] in printed
        given = httpx.get(f"{doorstep}/restante.crt")
        assert given.headers["content-type"] == "application/x-x509-ca-cert"
        trusting = ssl.create_default_context(cadata=given.content)
        for host in ("127.0.0.1", "localhost"):
            answer = httpx.get(f"https://{host}:{port}/api/v1/server", verify=trusting)
            assert answer.status_code == 200
            assert "strict-transport-security" not in answer.headers
        assert httpx.get(f"{doorstep}/api/v1/server").status_code == 404, "nothing else is plain"
        assert httpx.post(f"{doorstep}/").status_code == 405
        assert re.search(
            rf"^  https://localhost:{port}/operator/link#\S{{43}}$", log.read_text(), re.MULTILINE
        )
        for path in (tmp_path / "data").rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
