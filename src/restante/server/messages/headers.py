"""Request headers of a send, read strictly."""

import re

from restante.server.asgi import RawHeaders, headers_named
from restante.server.errors import Refusal

_KEY = re.compile(r'"?([A-Za-z0-9._~:+/=-]{16,64})"?\Z')


def idempotency_key(headers: RawHeaders) -> str:
    """The Idempotency-Key, bare or as a quoted string. Raises Refusal bad-idempotency-key."""
    values = headers_named(headers, b"idempotency-key")
    text = values[0].decode("latin-1") if len(values) == 1 else ""
    match = _KEY.match(text)
    if match is None or text.startswith('"') != text.endswith('"'):
        raise Refusal("bad-idempotency-key")
    return match[1]


def content_type(headers: RawHeaders) -> bytes:
    """The one Content-Type; empty when there is none or more."""
    values = headers_named(headers, b"content-type")
    return values[0] if len(values) == 1 else b""
