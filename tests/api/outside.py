"""What lies outside of a server, on loopback: a push service with a browser behind it, a webhook, a mail server."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, TypeVar

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from restante.protocol.encoding import b64

T = TypeVar("T")


@dataclass
class Browser:
    """Has a key of its own and opens what is pushed to it, by RFC 8291, without any of our code."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"sixteen bytes ok"

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, endpoint: str) -> dict[str, str]:
        return {"endpoint": endpoint, "p256dh": b64(self.public), "auth": b64(self.auth)}

    def open(self, body: bytes) -> bytes:
        """Raises InvalidTag for what was sealed to somebody else."""
        salt, sender = body[:16], body[21 : 21 + body[20]]
        assert len(sender) == 65
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.key.exchange(ec.ECDH(), theirs)
        mixed = _expand(_extract(self.auth, shared), b"WebPush: info\0" + self.public + sender, 32)
        pseudo = _extract(salt, mixed)
        key = _expand(pseudo, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _expand(pseudo, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, body[21 + len(sender) :], None)
        text, mark, _ = padded.rpartition(b"\x02")
        assert mark
        return text


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that answers as it is told, 201 otherwise, and remembers what it was asked."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.asked.append(Asked(head[0].split()[1], headers, body))
            status, extra = self.answers.pop(0) if self.answers else (201, {})
            lines = [f"HTTP/1.1 {status} x", "content-length: 0", "connection: close"]
            lines += [f"{name}: {value}" for name, value in extra.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            await writer.drain()


@dataclass
class MailSink:
    """A mail server that takes everything, unless told otherwise, and speaks no TLS."""

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    refuse_with: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            writer.write(b"220 sink\r\n")
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"RCPT" and self.refuse_with:
                    writer.write(self.refuse_with.pop(0) + b"\r\n")
                elif verb == b"DATA":
                    writer.write(b"354 go\r\n")
                    text = await reader.readuntil(b"\r\n.\r\n")
                    self.mails.append(message_from_bytes(text[:-3], policy=policy.default))  # type: ignore[arg-type]
                    writer.write(b"250 taken\r\n")
                elif verb == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    await writer.drain()
                    return
                else:
                    writer.write(b"250 ok\r\n")
                await writer.drain()


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{_port(server)}"
    async with server:
        yield made


@contextlib.asynccontextmanager
async def mail_sink() -> AsyncIterator[MailSink]:
    made = MailSink()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"smtp://127.0.0.1:{_port(server)}"
    async with server:
        yield made


def _port(server: asyncio.Server) -> Any:
    return server.sockets[0].getsockname()[1]


def _extract(salt: bytes, secret: bytes) -> bytes:
    mac = hmac.HMAC(salt, hashes.SHA256())
    mac.update(secret)
    return mac.finalize()


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


@contextlib.contextmanager
def in_a_thread(opening: Callable[[], contextlib.AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """One of these beside a test that has no loop of its own."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[T] = []

    async def serve() -> None:
        async with opening() as opened:
            found.append(opened)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(30)
        loop.close()
