"""The small ASGI vocabulary that the edge, the data plane and the multipart send share."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from restante.server.errors import Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = Iterable[tuple[bytes, bytes]]


def headers_named(headers: RawHeaders, name: bytes) -> list[bytes]:
    """All values of a header, in order; ``name`` in lower case."""
    return [value for key, value in headers if key == name]


async def respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    """Sends a whole response with its Content-Length."""
    sized = headers if status == 204 else [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """Reads a whole body of at most ``limit`` bytes. Raises Refusal too-large or timeout."""
    announced = headers_named(scope["headers"], b"content-length")
    if announced and announced[0].isdigit() and int(announced[0][:19]) > limit:
        raise Refusal("too-large", limit=limit, headers={"connection": "close"})
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal("timeout", headers={"connection": "close"})
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            raise Refusal("too-large", limit=limit, headers={"connection": "close"})
        if not message.get("more_body", False):
            return b"".join(pieces)
