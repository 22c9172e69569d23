"""Strict JSON bodies: checked as I-JSON before the framework decodes them into wire types.

[Note: Strict before typed] The framework's decoder takes the last of two equal keys; both languages and both databases
must read the same. So a JSON body is read whole (it is small), checked, and handed on.
"""

from restante.protocol import ijson, limits
from restante.server.asgi import App, Message, Receive, Scope, Send, headers_named, read_body
from restante.server.errors import Refusal

WITH_BODY = frozenset({"POST", "PUT"})


def strict_json(app: App) -> App:
    """Litestar middleware for the JSON routes; other content types pass untouched."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in WITH_BODY or not _says_json(scope):
            await app(scope, receive, send)
            return
        body = await read_body(scope, receive, limit=limits.JSON_BYTES)
        try:
            ijson.loads(body)
        except ijson.BadJson as error:
            raise Refusal("bad-json", detail=str(error)) from error
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await app(scope, replay, send)

    return middleware


def _says_json(scope: Scope) -> bool:
    values = headers_named(scope["headers"], b"content-type")
    return not values or values[0].split(b";")[0].strip().lower() == b"application/json"
