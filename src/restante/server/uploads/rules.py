"""What a tus request says and whether it may happen: pure, strict, in ASCII digits only."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import timedelta

from restante.protocol import limits
from restante.server.asgi import RawHeaders, headers_named
from restante.server.errors import Refusal

BODY_TYPE = b"application/offset+octet-stream"
_NUMBER = re.compile(rb"[0-9]{1,18}\Z")
_METADATA_KEY = re.compile(rb"[!-+\--~]+\Z")
"""Printable ASCII without space and comma."""


@dataclass(frozen=True, slots=True)
class Append:
    """One PATCH, or the body of a creation: where it starts and what it announces.

    ``body_bytes`` is None where the body's end is not announced (chunked); ``length`` is the upload's, when given.
    """

    offset: int
    body_bytes: int | None
    length: int | None


def number(headers: RawHeaders, name: bytes) -> int | None:
    """Reads a header of 1 to 18 ASCII digits; None when it is absent. Raises Refusal bad-length."""
    values = headers_named(headers, name)
    if not values:
        return None
    if len(values) > 1 or not _NUMBER.match(values[0]):
        raise Refusal("bad-length", detail=f"{name.decode()} is not one number of at most 18 digits")
    return int(values[0])


def announced_length(headers: RawHeaders) -> int | None:
    """Reads Upload-Length, or None for ``Upload-Defer-Length: 1``; exactly one of the two must be there."""
    length, defer = number(headers, b"upload-length"), headers_named(headers, b"upload-defer-length")
    if defer and defer != [b"1"]:
        raise Refusal("bad-length", detail="upload-defer-length is not 1")
    if (length is None) is not bool(defer):
        raise Refusal("bad-length", detail="give either upload-length or upload-defer-length")
    return length


def body_bytes(headers: RawHeaders) -> int | None:
    """The announced size of the body: 0 without one, None when it is chunked."""
    if headers_named(headers, b"transfer-encoding"):
        return None
    return number(headers, b"content-length") or 0


def read_append(headers: RawHeaders) -> Append:
    """Reads the headers of a PATCH. Raises Refusal bad-length, wrong-content-type."""
    check_content_type(headers)
    offset = number(headers, b"upload-offset")
    if offset is None:
        raise Refusal("bad-length", detail="upload-offset is missing")
    return Append(offset, body_bytes(headers), number(headers, b"upload-length"))


def check_content_type(headers: RawHeaders) -> None:
    """Raises Refusal wrong-content-type unless the body is announced as bytes of an upload."""
    if headers_named(headers, b"content-type") != [BODY_TYPE]:
        raise Refusal("wrong-content-type", detail=f"send {BODY_TYPE.decode()}")


def check_metadata(headers: RawHeaders) -> None:
    """Judges Upload-Metadata and forgets it: nothing in it is stored, logged or returned. Raises Refusal bad-metadata."""
    joined = b",".join(headers_named(headers, b"upload-metadata"))
    if len(joined) > limits.METADATA_BYTES:
        raise Refusal("bad-metadata", detail=f"more than {limits.METADATA_BYTES} bytes")
    if not joined:
        return
    keys = [_metadata_key(pair.strip(b" \t")) for pair in joined.split(b",")]
    if len(set(keys)) != len(keys):
        raise Refusal("bad-metadata", detail="a key stands twice")


def _metadata_key(pair: bytes) -> bytes:
    key, _, value = pair.partition(b" ")
    if not _METADATA_KEY.match(key):
        raise Refusal("bad-metadata", detail="a key is empty or not printable ASCII")
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise Refusal("bad-metadata", detail="a value is not base64") from error
    return key


def settled_length(known: int | None, append: Append, *, size: int) -> int | None:
    """The upload's length after this request: set once, never below what is stored. Raises Refusal bad-length."""
    if append.length is None or append.length == known:
        return known
    if known is not None:
        raise Refusal("bad-length", detail="the length is set and does not change")
    if append.length < size:
        raise Refusal("bad-length", detail="the length is less than what is stored")
    return append.length


def check_fits(length: int | None, append: Append, *, size: int, most: int) -> None:
    """Checks place and announced size before a byte is written. Raises Refusal offset-mismatch, too-large."""
    if append.offset != size:
        raise Refusal("offset-mismatch")
    if length is not None and length > most:
        raise Refusal("too-large", limit=most)
    if size + (append.body_bytes or 0) > (most if length is None else length):
        raise Refusal("too-large", limit=most if length is None else length)


def repeats_the_end(append: Append, *, length: int) -> bool:
    """Tells whether a request to a finished upload is the finishing one again, whose answer was lost."""
    return append.offset == length and append.body_bytes == 0 and append.length in {None, length}


def expires_at_ms(finished_at_ms: int | None, last_byte_ms: int) -> int:
    """When an upload that no message claims is removed."""
    if finished_at_ms is not None:
        return finished_at_ms + to_ms(limits.UPLOAD_UNCLAIMED_FOR)
    return last_byte_ms + to_ms(limits.UPLOAD_UNFINISHED_FOR)


def to_ms(span: timedelta) -> int:
    """Whole milliseconds of a span."""
    return span // timedelta(milliseconds=1)
