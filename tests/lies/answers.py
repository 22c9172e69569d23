"""What lies are made with: other bodies, other files, other ranges of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any

from restante.crypto.age import CHUNK_BYTES
from restante.protocol.encoding import b64
from restante.signing import container, records
from tests.cli.middleman import Exchange
from tests.lies.stage import altered

SEALED_CHUNK = CHUNK_BYTES + 16
ENDLESS = 60_000_000
"""Bytes of an answer without end: that many, and the test would notice that they were taken."""


def answering(exchange: Exchange, content: object) -> Exchange:
    """Answers with JSON."""
    return replace(exchange, body=json.dumps(content).encode())


def with_envelope(item: dict[str, Any], sealed: bytes) -> dict[str, Any]:
    return {**item, "envelope": b64(sealed)}


def replace_enc(record: bytes, more_enc: records.EncryptionKey) -> bytes:
    """The payload with one more key, which the signature does not cover."""
    fields = altered(record)
    return json_of(altered(record, enc=(*fields.enc, more_enc)))


def json_of(fields: records.RecordFields) -> bytes:
    return container.write(container.Type.ACCOUNT, fields, key=None).split(b"\n", 3)[3]


def header_bytes(data: bytes) -> int:
    """Up to and with the nonce after an age header."""
    mac = data.index(b"\n--- ") + 1
    return data.index(b"\n", mac) + 1 + 16


def chunks_bytes(data: bytes) -> int:
    return len(data) - header_bytes(data) - 1


def in_range(exchange: Exchange, data: bytes) -> Exchange:
    """Answers as if this were the whole file."""
    asked = exchange.asked.get("range", "")
    if not asked:
        return exchange.answering(200, data)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    begin, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
    if begin >= len(data):
        body = {"type": "x", "title": "x", "status": 416, "code": "range-unsatisfiable", "instance": "x"}
        return exchange.answering(416, json.dumps(body).encode(), content_type="application/problem+json")
    return exchange.answering(206, data[begin : end + 1], content_range=f"bytes {begin}-{end}/{len(data)}")


def more(beginning: bytes) -> Iterator[bytes]:
    """Goes on with spaces."""
    yield beginning
    yield from repeat(b" " * 1_000_000, ENDLESS // 1_000_000)


def first(forged: bytes, honest: Any) -> Iterator[bytes]:
    yield forged
    yield from honest


def in_the_place_of(exchange: Exchange, made: list[bytes]) -> list[dict[str, Any]]:
    """Other records, with everything else that the server tells of the honest ones."""
    items = json.loads(exchange.whole)["items"]
    return [{**item, "record": b64(data)} for item, data in zip(items, made, strict=False)]
