"""What a server hands out as its web app, asked for as three visitors and compared with what it must be.

>>> verify_web(server_url, installed_manifest().manifest)
[]

A server that means to cheat one person sends the changed program to that person only. So each visitor looks different, comes by
connections of its own, and asks for the files in an order of its own; this machine's address they share.
"""

import gzip
import hashlib
import random
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import httpx

from restante.client.errors import BadServerUrl, Unreachable
from restante.client.http import checked_url
from restante.client.web_errors import ManifestMalformed, ManifestMissing, ManifestNotSigned
from restante.protocol.limits import MIB
from restante.protocol.web_manifest import NAME, BadManifest, Entry, Manifest, read
from restante.signing.errors import ProtocolError
from restante.transparency.notes import NoteKey, SignedNote

RELEASE_KEYS: tuple[str, ...] = ()
"""Keys that sign releases; the first release adds its own (docs/guides/releases.md)."""
FILE_BYTES = 16 * MIB
_COPIES = {"br": ".br", "gzip": ".gz"}
_PAGE = "/index.html"
_AHEAD = {"/m/": "/guest.html", "/@": "/call.html"}
"""What is handed out where addresses begin so, if the app has it."""
_ADDRESSES = ("/", "/inbox", "/record")
_UNWANTED = ("link", "refresh", "service-worker-allowed", "sourcemap", "x-sourcemap")
"""Headers by which an answer could load or allow more than it is."""
_TIMEOUT_S = 30.0
_PLACE = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._/-]*/\Z|https?://[A-Za-z0-9.:-]+/\Z")


@dataclass(frozen=True, slots=True)
class Visitor:
    """How one of them looks to the server."""

    name: str
    headers: dict[str, str]
    cookies: dict[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """``what`` is a word: missing, content, policy, type or header."""

    visitor: str
    path: str
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A manifest, and which key signed it: none for one's own build."""

    manifest: Manifest
    signed_by: str | None


def visitors() -> tuple[Visitor, ...]:
    """Three that have nothing in common; the second seems to be signed in."""
    chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
    session = {"__Host-session": secrets.token_urlsafe(32)}
    return (
        Visitor("chromium", _looks(chromium, "en-GB,en;q=0.9", "gzip, deflate, br"), {}),
        Visitor("firefox, signed in", _looks(firefox, "fr,fr-FR;q=0.8", "gzip"), session),
        Visitor("safari", _looks(phone, "de-DE,de;q=0.9", "identity"), {}),
    )


def installed_manifest(keys: tuple[str, ...] = RELEASE_KEYS) -> Told:
    """Reads the manifest of the installed package. Raises ManifestMissing, ManifestMalformed or ManifestNotSigned."""
    place = resources.files("restante") / "server" / "webapp" / NAME
    if not place.is_file():
        raise ManifestMissing("this copy of Restante has no web app inside")
    return judge_manifest(place.read_bytes(), keys)


def manifest_in(path: Path, keys: tuple[str, ...]) -> Told:
    """Reads a manifest from a file."""
    return judge_manifest(path.read_bytes(), keys)


def fetch_manifest(url: str, keys: tuple[str, ...]) -> Told:
    """Takes the server's own manifest, which is worth as much as the keys that must have signed it."""
    if not keys:
        raise ManifestNotSigned("no key is known")
    with _client(checked_url(url), visitors()[0]) as client:
        status, _, data = _fetch(client, f"/{NAME}")
    if status != httpx.codes.OK:
        raise ManifestMissing("the server has none")
    return judge_manifest(data, keys)


def judge_manifest(data: bytes, keys: tuple[str, ...]) -> Told:
    """Reads a manifest; with keys, one of them must have signed it. Raises ManifestNotSigned or ManifestMalformed."""
    try:
        if not keys and b"\n\n" not in data:
            return Told(read(data.decode()), None)
        note = SignedNote.read(data)
        signer = next((key for key in map(NoteKey.parse, keys) if _has_signed(note, key)), None)
        if keys and signer is None:
            raise ManifestNotSigned
        return Told(read(note.text), str(signer) if signer else None)
    except (BadManifest, UnicodeDecodeError) as error:
        raise ManifestMalformed(str(error)) from error
    except ProtocolError as error:
        raise (ManifestNotSigned if keys else ManifestMalformed) from error


def verify_web(
    url: str,
    manifest: Manifest,
    *,
    videos_from: str = "",
    report: Callable[[Visitor], None] = lambda _: None,
) -> list[Difference]:
    """Asks for everything as each visitor and returns what is not as the manifest says. Raises Unreachable.

    ``videos_from`` is the address below which pages may read videos besides, where the operator keeps them in a bucket.
    """
    manifest = _letting(manifest, videos_from) if videos_from else manifest
    found: list[Difference] = []
    for visitor in visitors():
        report(visitor)
        with _client(checked_url(url), visitor) as client:
            found += _Visit(client, visitor, manifest).differences()
    return found


class _Visit:
    """One visitor's look at everything."""

    def __init__(self, client: httpx.Client, visitor: Visitor, manifest: Manifest) -> None:
        self._client = client
        self._visitor = visitor
        self._manifest = manifest
        self._files = {one.path: one for one in manifest.files}

    def differences(self) -> Iterator[Difference]:
        """In no order that a server could recognise the visitor by."""
        copies = tuple(_COPIES.values())
        asked = [(one.path, one.path) for one in self._manifest.files if not one.path.endswith(copies)]
        asked += [(address, _PAGE) for address in (*_ADDRESSES, f"/{secrets.token_hex(4)}")]
        asked += [(f"{begin}{secrets.token_hex(4)}", self._ahead(file)) for begin, file in _AHEAD.items()]
        random.SystemRandom().shuffle(asked)
        for path, file in asked:
            yield from self._look_at(path, self._files[file])

    def _ahead(self, file: str) -> str:
        return file if file in self._files else _PAGE

    def _look_at(self, path: str, file: Entry) -> Iterator[Difference]:
        accept = "text/html,application/xhtml+xml,*/*;q=0.8" if file.type == "text/html" else "*/*"
        status, headers, data = _fetch(self._client, path, accept=accept)
        if status != httpx.codes.OK:
            yield self._differs(path, "missing", f"status {status}")
            return
        coding = headers.get("content-encoding", "identity").lower()
        if not self._is_file(data, coding, file):
            yield self._differs(path, "content", f"{hashlib.sha256(data).hexdigest()[:16]}, {coding}")
        policies = headers.get_list("content-security-policy")
        if policies != [self._manifest.policies[file.policy]]:
            yield self._differs(path, "policy", "; ".join(policies)[:200] or "none")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != file.type:
            yield self._differs(path, "type", headers.get("content-type", "none")[:60])
        for name in _UNWANTED:
            if name in headers:
                yield self._differs(path, "header", name)

    def _is_file(self, data: bytes, coding: str, file: Entry) -> bool:
        copy = self._files.get(file.path + _COPIES.get(coding, ""), file)
        if _is(data, copy):
            return True
        # A proxy may have compressed it anew. What cannot be unpacked here is not believed.
        return coding == "gzip" and _is(_unpacked(data), file)

    def _differs(self, path: str, what: str, detail: str) -> Difference:
        return Difference(self._visitor.name, path, what, detail)


def _letting(manifest: Manifest, videos_from: str) -> Manifest:
    """The page may connect to one place more, and nothing else may. Raises BadServerUrl."""
    if not _PLACE.match(videos_from):
        raise BadServerUrl(videos_from)
    page = manifest.policies.get("page", "")
    widened = page.replace("connect-src 'self'", f"connect-src 'self' {videos_from}", 1)
    return replace(manifest, policies={**manifest.policies, "page": widened})


def _is(data: bytes, file: Entry) -> bool:
    return len(data) == file.size and hashlib.sha256(data).hexdigest() == file.sha256


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError):
        return b""


def _has_signed(note: SignedNote, key: NoteKey) -> bool:
    try:
        note.text_signed_by(key)
    except ProtocolError:
        return False
    return True


def _looks(agent: str, language: str, codings: str) -> dict[str, str]:
    return {"user-agent": agent, "accept-language": language, "accept-encoding": codings}


def _client(url: str, visitor: Visitor) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        headers=visitor.headers,
        cookies=visitor.cookies,
        follow_redirects=False,
        timeout=_TIMEOUT_S,
        trust_env=url.startswith("https:"),
    )


def _fetch(client: httpx.Client, path: str, *, accept: str = "*/*") -> tuple[int, httpx.Headers, bytes]:
    """Gets the bytes as they are sent, still compressed."""
    try:
        with client.stream("GET", path, headers={"accept": accept}) as response:
            data = b""
            for piece in response.iter_raw():
                data += piece
                if len(data) > FILE_BYTES:
                    break
            return response.status_code, response.headers, data
    except httpx.TransportError as error:
        raise Unreachable(str(error)) from error
