"""Strict JSON bodies: checked as I-JSON before the framework decodes them into wire types.

[Note: Strict before typed] The framework's decoder takes the last of two equal keys and any Content-Type; both languages
and both databases must read the same, and a form of a foreign page (text/plain) must not pass for JSON. So the body of
every route that takes ``data`` is read whole (it is small), checked, and handed on; other routes read their own.

[Note: A passkey's secret] What a passkey answers to the PRF extension opens the keyring, and ``toJSON()`` of a credential
includes it. A client that posts it has a fault that nobody would notice otherwise; so it is refused before anything is done.
"""

from typing import Any

import msgspec

from restante.protocol import ijson, limits
from restante.server.asgi import App, Message, Receive, Scope, Send, headers_named, read_body
from restante.server.errors import Refusal


def strict_json(app: App) -> App:
    """Litestar middleware for the routes with a JSON body; the others pass untouched."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["route_handler"].parsed_data_field is None:
            await app(scope, receive, send)
            return
        _check_says_json(scope)
        body = await read_body(scope, receive, limit=limits.JSON_BYTES)
        try:
            value = ijson.loads(body)
        except ijson.BadJson as error:
            raise Refusal("bad-json", detail=str(error)) from error
        if has_prf_output(value):
            raise Refusal("prf-output-posted")
        _check_shape(value, scope["route_handler"].parsed_data_field.annotation)
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await app(scope, replay, send)

    return middleware


def _check_shape(value: Any, shape: Any) -> None:
    """Refuses what the framework would bend into shape: 0 for false, "5" for 5."""
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise Refusal("invalid", detail=str(error)) from error


def has_prf_output(value: Any) -> bool:
    """Tells whether what a passkey gave to the PRF extension stands anywhere in a body."""
    if isinstance(value, list):
        return any(map(has_prf_output, value))
    if not isinstance(value, dict):
        return False
    prf = value.get("prf")
    return (isinstance(prf, dict) and "results" in prf) or any(map(has_prf_output, value.values()))


def _check_says_json(scope: Scope) -> None:
    types = headers_named(scope["headers"], b"content-type")
    if [value.split(b";")[0].strip().lower() for value in types] != [b"application/json"]:
        raise Refusal("wrong-content-type", detail="application/json is expected")
    if any(
        value.strip().lower() != b"identity" for value in headers_named(scope["headers"], b"content-encoding")
    ):
        raise Refusal("wrong-content-type", detail="an encoded body is not decoded here")
