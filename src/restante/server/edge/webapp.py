"""The web app: its files, read once at start, each with its own policy; its page for every address that people open."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from restante.server.asgi import RawHeaders, Scope, Send, headers_named
from restante.server.edge.policies import policy_of

FOLDER = Path(__file__).parent.parent / "webapp"
"""Where `make web` and the wheel put the built app."""
PAGE = "/index.html"
AHEAD = {"/m/": "/guest.html", "/@": "/call.html"}
"""The same page for people who come by a link, by how their addresses begin: it names what their screen is made of."""
_PAGES = {PAGE, *AHEAD.values()}
NOT_OURS = ("/.well-known", "/api", "/problems", "/tlog", "/livez", "/readyz")
NOT_BUILT = b"""Restante is running here, for the command line only: this copy has no web app.

From the source tree: `make web`, then start it again. Packages of a release have it inside.
"""
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".note": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_ENCODINGS = {b"br": ".br", b"gzip": ".gz"}
"""Compressed copies that the build made, the better one first."""

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file as it is sent: ``bodies`` by content coding, `identity` always among them."""

    route: str
    headers: Headers
    etag: bytes
    bodies: dict[bytes, bytes] = field(repr=False)

    async def send(self, scope: Scope, send: Send) -> None:
        """Answers a GET or HEAD."""
        scope["route"] = self.route
        coding = chosen_coding(scope["headers"], self.bodies)
        body = self.bodies[coding]
        headers = [*self.headers, (b"etag", self._etag_of(coding))]
        if self._etag_of(coding) in b",".join(headers_named(scope["headers"], b"if-none-match")):
            await _send(send, 304, headers)
            return
        if coding != b"identity":
            headers.append((b"content-encoding", coding))
        headers.append((b"content-length", str(len(body)).encode()))
        await _send(send, 200, headers, b"" if scope["method"] == "HEAD" else body)

    def _etag_of(self, coding: bytes) -> bytes:
        return b'"' + self.etag + b"-" + coding + b'"'


@dataclass(frozen=True, slots=True)
class WebApp:
    """All files by their path; empty when the app was not built."""

    files: dict[str, WebFile]

    def find(self, scope: Scope) -> WebFile | None:
        """Tells what answers this request, if it is one for the web app."""
        path: str = scope.get("path", "")
        if scope.get("method") not in {"GET", "HEAD"}:  # the server's own start and stop have none
            return None
        if path in self.files:
            return self.files[path]
        return self._page(path) if _is_navigation(path, scope["headers"]) else None

    def _page(self, path: str) -> WebFile:
        ahead = next((file for begin, file in AHEAD.items() if path.startswith(begin)), PAGE)
        return self.files.get(ahead) or self.files.get(PAGE, _NOT_BUILT)


def load(folder: Path = FOLDER, *, videos_at: str = "") -> WebApp:
    """Reads the built app; one that is replaced later is served after the next start. ``videos_at``: see ``policy_of``."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix in TYPES)
    files = (path for path in found if not path.relative_to(folder).parts[0].startswith("."))
    return WebApp(
        {f"/{path.relative_to(folder).as_posix()}": _read(folder, path, videos_at) for path in files}
    )


def _read(folder: Path, path: Path, videos_at: str) -> WebFile:
    name = f"/{path.relative_to(folder).as_posix()}"
    bodies = {b"identity": path.read_bytes()}
    for coding, suffix in _ENCODINGS.items():
        copy = path.with_name(path.name + suffix)
        if copy.exists():
            bodies[coding] = copy.read_bytes()
    headers = [(b"content-type", TYPES[path.suffix].encode()), (b"cache-control", _caching(name))]
    headers.append((b"vary", b"accept, accept-encoding" if name in _PAGES else b"accept-encoding"))
    if (policy := policy_of(name, videos_at=videos_at)) is not None:
        headers.append((b"content-security-policy", policy))
    etag = hashlib.sha256(bodies[b"identity"]).hexdigest()[:20].encode()
    return WebFile(_route(name), headers, etag, bodies)


def _caching(name: str) -> bytes:
    if name.startswith(("/assets/", "/workers/")):
        return b"public, max-age=31536000, immutable"  # a hash of the content is part of the name
    return b"no-cache" if name in {*_PAGES, "/sw.js", "/release.note"} else b"public, max-age=3600"


def _route(name: str) -> str:
    folder, _, _ = name.rpartition("/")
    return f"{folder}/{{file}}" if folder else name


def _is_navigation(path: str, headers: RawHeaders) -> bool:
    """A person opens an address: whatever it is, the app knows what to show. Programs ask for other types."""
    if any(path == prefix or path.startswith(f"{prefix}/") for prefix in NOT_OURS):
        return False
    return b"text/html" in b",".join(headers_named(headers, b"accept"))


def chosen_coding(headers: RawHeaders, offered: Iterable[bytes]) -> bytes:
    """Picks the best content coding that the client takes (RFC 9110 section 12.5.3)."""
    wanted: dict[bytes, float] = {}
    for item in b",".join(headers_named(headers, b"accept-encoding")).lower().split(b","):
        coding, _, parameters = item.partition(b";")
        wanted[coding.strip()] = _quality(parameters)
    known = [coding for coding in _ENCODINGS if coding in offered and wanted.get(coding, 0.0) > 0]
    return max(known, key=lambda coding: wanted[coding], default=b"identity")


def _quality(parameters: bytes) -> float:
    _, found, value = parameters.partition(b"q=")
    try:
        return float(value.split(b";")[0]) if found else 1.0
    except ValueError:
        return 0.0


async def _send(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_NOT_BUILT = WebFile(
    "/{page}",
    [(b"content-type", b"text/plain; charset=utf-8"), (b"vary", b"accept")],
    b"not-built",
    {b"identity": NOT_BUILT},
)
