"""The page on a plain port by which devices learn to trust this server's certificate: it has two things to give, and takes none.

[Note: Doorstep] A browser that does not trust the certificate yet cannot be told by HTTPS how to. So this much is plain HTTP, and
nothing else is: no cookie, no name, no API. Who sits between could hand out another authority, which is why the page and the
terminal show the fingerprint to compare.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from restante.server.asgi import App, Receive, Scope, Send
from restante.server.certs import page
from restante.server.certs.places import doorstep_port, network_url
from restante.server.certs.store import root
from restante.server.config import Settings

HEAD_BYTES = 8192
PATIENCE_S = 10.0
VISITORS = 64
"""At once; who comes then has to come again."""
_COMMON = (
    "Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\nContent-Security-Policy: {policy}\r\n"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent."""

    status: str
    kind: str
    body: bytes
    more: str = ""


class Doorstep:
    """Hands out the page and the certificate."""

    def __init__(self, certificate: x509.Certificate, address: str) -> None:
        self._certificate = certificate
        self._address = address
        self._visitors = 0

    def answer(self, target: str, languages: str, browser: str) -> Answer:
        """Chooses what a visitor gets for an address."""
        parts = urlsplit(target)
        if parts.path == page.CERTIFICATE:
            body = self._certificate.public_bytes(Encoding.DER)
            more = 'Content-Disposition: attachment; filename="restante.crt"\r\n'
            return Answer("200 OK", "application/x-x509-ca-cert", body, more)
        if parts.path != "/":
            return Answer("404 Not Found", "text/plain; charset=utf-8", b"Only / is here.\n")
        language = page.language_of(parse_qs(parts.query).get("lang", [""])[0], languages)
        text = page.render(
            self._certificate, self._address, language=language, system=page.system_of(browser)
        )
        return Answer("200 OK", "text/html; charset=utf-8", text.encode())

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection, which is one request."""
        self._visitors += 1
        try:
            if self._visitors <= VISITORS:
                async with asyncio.timeout(PATIENCE_S):
                    await self._serve(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # whoever sends something else, or nothing, gets no answer
        finally:
            self._visitors -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        fields = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        if method in {"GET", "HEAD"}:
            found = self.answer(target, fields.get("accept-language", ""), fields.get("user-agent", ""))
        else:
            found = Answer("405 Method Not Allowed", "text/plain; charset=utf-8", b"", "Allow: GET, HEAD\r\n")
        common = _COMMON.format(policy=page.POLICY)
        length = f"Content-Type: {found.kind}\r\nContent-Length: {len(found.body)}\r\n"
        writer.write(f"HTTP/1.1 {found.status}\r\n{common}{length}{found.more}\r\n".encode())
        writer.write(b"" if method == "HEAD" else found.body)
        await writer.drain()


def with_doorstep(app: App, settings: Settings) -> App:
    """Opens the page while the application of a process of its own runs, where the certificate is the server's own."""
    if settings.tls != "local":
        return app

    async def attended(scope: Scope, receive: Receive, send: Send) -> None:
        async with _opened(settings) if scope["type"] == "lifespan" else contextlib.nullcontext():
            await app(scope, receive, send)

    return attended


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[None]:
    doorstep = Doorstep(root(settings), network_url(settings))
    server = await asyncio.start_server(
        doorstep.receive, settings.host, doorstep_port(settings), limit=HEAD_BYTES
    )
    try:
        yield
    finally:
        server.close()
