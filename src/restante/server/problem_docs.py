"""What a route's OpenAPI entry says of its refusals: each status once, with the codes that it may carry."""

from collections import defaultdict

from litestar.openapi.datastructures import ResponseSpec

from restante.protocol.codes import CODES
from restante.protocol.wire import Problem

EVERYWHERE = ("bad-request", "target-too-long", "headers-too-large", "internal", "busy")
"""Codes that any route may answer: they are documented without being named."""
JSON_BODY = ("bad-json", "timeout", "too-large", "wrong-content-type", "invalid")
"""Codes of every route that takes a JSON body."""
CHANGE = ("forbidden-origin", "storage-full")
"""Codes of every route that changes something."""
SIGNED_IN = ("not-signed-in",)
"""Codes of every route that asks who is there."""


def refusals(*codes: str) -> dict[int, ResponseSpec]:
    """Describes the refusals of a route by their codes, with those of ``EVERYWHERE``. Raises KeyError for an unknown one."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys((*EVERYWHERE, *codes)):
        by_status[CODES[code].status].append(f"`{code}`: {CODES[code].title}")
    return {status: _spec(lines) for status, lines in sorted(by_status.items())}


def _spec(lines: list[str]) -> ResponseSpec:
    return ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        description="\n".join(lines),
        media_type="application/problem+json",
    )
