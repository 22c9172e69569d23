"""What a route's OpenAPI entry says of its refusals: each status once, with the codes that it may carry."""

from collections import defaultdict
from typing import Any

from litestar.openapi.datastructures import ResponseSpec

from restante.protocol.codes import CODES
from restante.protocol.wire import Problem

EVERYWHERE = ("bad-request", "target-too-long", "headers-too-large", "internal", "busy")
"""Codes that any route may answer: they are documented without being named."""
JSON_BODY = ("bad-json", "prf-output-posted", "timeout", "too-large", "wrong-content-type", "invalid")
"""Codes of every route that takes a JSON body."""
CHANGE = ("forbidden-origin", "storage-full")
"""Codes of every route that changes something."""
SIGNED_IN = ("not-signed-in", "device-removed")
"""Codes of every route that asks who is there."""


PROBLEM_TYPE = "application/problem+json"


def refusals(*codes: str) -> dict[int, ResponseSpec]:
    """Describes the refusals of a route by their codes, with those of ``EVERYWHERE``. Raises KeyError for an unknown one."""
    return {
        status: ResponseSpec(
            data_container=Problem, generate_examples=False, description=text, media_type=PROBLEM_TYPE
        )
        for status, text in _by_status(codes).items()
    }


def written_refusals(*codes: str) -> dict[str, Any]:
    """The same for an operation whose description is written by hand, as parts of the document."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {"description": text, "content": content} for status, text in _by_status(codes).items()
    }


def _by_status(codes: tuple[str, ...]) -> dict[int, str]:
    lines: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys((*EVERYWHERE, *codes)):
        lines[CODES[code].status].append(f"`{code}`: {CODES[code].title}")
    return {status: "\n".join(lines[status]) for status in sorted(lines)}
