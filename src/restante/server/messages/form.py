"""The multipart body of a send: strict, every part known by name, sizes checked before content."""

import hashlib
import re
from typing import TypeVar

import msgspec
from multipart import (  # type: ignore[import-untyped] # the library ships no types
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from restante.protocol import ijson, limits
from restante.protocol.names import is_name
from restante.protocol.wire import Send
from restante.protocol.wire_pages import CallMessage
from restante.server.errors import Refusal
from restante.server.messages.rules import CallParcel, Parcel

T = TypeVar("T")

ENVELOPE = "envelope:"
LINK = re.compile(r"link:(?:0|[1-9][0-9]?)\Z")
"""The envelope of a link, by its place in the list."""
MESSAGE_BYTES = 16 * limits.KIB
"""Largest part ``message``: fifty names and what else a Send holds fit well."""
_HEADERS_BYTES = 1024
_SIZES = {"message": MESSAGE_BYTES, "details": limits.DETAILS_BYTES, "sent": limits.ENVELOPE_BYTES}
_NEEDED = {"message", "details"}
_PARTS = limits.RECIPIENTS + limits.LINKS + len(_SIZES)
BODY_BYTES = (
    MESSAGE_BYTES
    + limits.DETAILS_BYTES
    + (limits.RECIPIENTS + limits.LINKS + 1) * limits.ENVELOPE_BYTES
    + _PARTS * _HEADERS_BYTES
)
"""Largest body of a send."""


def parse_parcel(content_type: bytes, body: bytes) -> Parcel:
    """Reads the parts of a send. Raises Refusal wrong-content-type, bad-multipart, too-large, bad-json or invalid."""
    parts = _parts(_boundary(content_type), body)
    missing = sorted(_NEEDED - parts.keys())
    if missing:
        raise Refusal("bad-multipart", detail=f"missing: {', '.join(missing)}")
    return Parcel(
        message=_read(parts["message"], Send),
        details=parts["details"],
        envelopes={
            name.removeprefix(ENVELOPE): data for name, data in parts.items() if name.startswith(ENVELOPE)
        },
        sent=parts.get("sent"),
        digest=_digest(parts),
        links={name: data for name, data in parts.items() if LINK.match(name)},
    )


def parse_call(content_type: bytes, body: bytes) -> CallParcel:
    """Reads the parts of what a caller leaves. Raises as ``parse_parcel`` does."""
    parts = _parts(_boundary(content_type), body)
    if parts.keys() != {"message", "details", "envelope:owner"}:
        raise Refusal("bad-multipart", detail="exactly message, details and envelope:owner")
    return CallParcel(
        message=_read(parts["message"], CallMessage),
        details=parts["details"],
        envelope=parts["envelope:owner"],
        digest=_digest(parts),
    )


def _boundary(content_type: bytes) -> str:
    kind, options = parse_options_header(content_type.decode("latin-1"))
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise Refusal("wrong-content-type", detail="multipart/form-data with a boundary")
    return str(boundary)


def _parts(boundary: str, body: bytes) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    name, pieces = "", list[bytes]()
    try:
        with PushMultipartParser(
            boundary,
            content_length=len(body),
            max_header_size=_HEADERS_BYTES // 2,
            max_header_count=4,
            max_segment_size=limits.DETAILS_BYTES,
            max_segment_count=_PARTS,
            strict=True,
        ) as parser:
            for event in parser.parse(body) if body else ():
                if isinstance(event, MultipartSegment):
                    name, pieces = _known(event, parts), []
                elif event is None:
                    parts[name] = b"".join(pieces)
                else:
                    pieces.append(event)
                    if sum(map(len, pieces)) > _limit(name):
                        raise Refusal("too-large", detail=f"part {name}", limit=_limit(name))
    except ParserLimitReached as error:
        raise Refusal("too-large", detail="a part, its headers or the number of parts") from error
    except (MultipartError, UnicodeError) as error:
        raise Refusal("bad-multipart") from error
    return parts


def _known(segment: MultipartSegment, seen: dict[str, bytes]) -> str:
    name = str(segment.name)
    recipient = name.removeprefix(ENVELOPE)
    is_envelope = (name.startswith(ENVELOPE) and is_name(recipient)) or LINK.match(name)
    if name not in _SIZES and not is_envelope:
        raise Refusal("bad-multipart", detail="a part with an unknown name")
    if name in seen:
        raise Refusal("bad-multipart", detail=f"part {name} stands twice")
    return name


def _limit(name: str) -> int:
    return _SIZES.get(name, limits.ENVELOPE_BYTES)


def _read(data: bytes, shape: type[T]) -> T:
    try:
        return msgspec.convert(ijson.loads(data), shape)
    except ijson.BadJson as error:
        raise Refusal("bad-json", detail=str(error)) from error
    except msgspec.ValidationError as error:
        raise Refusal("invalid", detail=str(error)) from error


def _digest(parts: dict[str, bytes]) -> bytes:
    """Hashes names and contents, in the order of the names: the boundary and the order sent do not matter."""
    whole = hashlib.sha256()
    for name in sorted(parts):
        whole.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(parts[name]).digest())
    return whole.digest()
