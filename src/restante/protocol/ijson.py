"""Strict JSON (I-JSON, RFC 7493): what both languages and both databases read alike, or nothing.

Refused: duplicate keys, NaN and infinities, integers beyond 2^53 - 1, lone surrogates, U+0000, nesting
deeper than 32, a byte order mark, anything that is not UTF-8.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

import msgspec

from restante.protocol.limits import JSON_DEPTH, JSON_INT

T = TypeVar("T")


class BadJson(ValueError):
    """The bytes are not I-JSON, or not of the expected shape; the text says why, without the content."""


def loads(data: bytes) -> Any:
    """Parses the bytes into plain Python values. Raises BadJson."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson("not UTF-8") from error
    if _depth_exceeds(text):
        raise BadJson(f"nested deeper than {JSON_DEPTH}")
    if "\\u" in text and _has_bad_escape(text):
        raise BadJson("a lone surrogate or U+0000 in a string")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except BadJson:
        raise
    except ValueError as error:
        raise BadJson("not JSON") from error


def decode(data: bytes, shape: type[T]) -> T:
    """Parses the bytes into a struct; unknown keys are ignored. Raises BadJson with the path at fault."""
    value = loads(data)
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise BadJson(str(error)) from error


def encode(value: Any) -> bytes:
    """Writes compact UTF-8 JSON; struct fields keep their declared order."""
    return msgspec.json.encode(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadJson("a key stands twice in one object")
    return result


def _constant(_: str) -> NoReturn:
    raise BadJson("NaN or an infinity")


def _integer(text: str) -> int:
    if len(text) > len(str(JSON_INT)) + 1 or abs(value := int(text)) > JSON_INT:
        raise BadJson("an integer beyond 2^53 - 1")
    return value


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise BadJson("a number too large")
    return value


def _has_bad_escape(text: str) -> bool:
    """Looks at the parsed strings: only there is an escaped backslash told from an escape."""
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: [part for pair in pairs for part in pair])
    except ValueError:
        return False  # the real parse says what is wrong
    return any("\x00" in part or not _encodable(part) for part in _strings(value))


def _strings(value: Any) -> Iterable[str]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            stack.extend(item)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _depth_exceeds(text: str) -> bool:
    if text.count("[") + text.count("{") <= JSON_DEPTH:
        return False
    depth = deepest = 0
    for character in _STRING.sub("", text):
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest > JSON_DEPTH
