"""The signed container: ``TYPE LF SIGNER LF SIG LF PAYLOAD``.

The signature covers ``TYPE 0x00 SIGNER 0x00 PAYLOAD`` as the exact bytes that stand in the container; nothing is
parsed before it is verified, and nothing is ever serialised again, so no canonical JSON is needed.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from restante.protocol import ijson
from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import CONTAINER_PAD_BYTES
from restante.signing.errors import (
    BadSigningKey,
    ContainerMalformed,
    ContainerTooLarge,
    NeedsNewerVersion,
    PayloadMalformed,
    SignatureMissing,
    WrongType,
)
from restante.signing.keys import KEY_BYTES, SIGNATURE_BYTES, SigningKey, verify

T = TypeVar("T")

_TYPE_LINE = re.compile(rb"restante/[1-9][0-9]{0,3} [a-z]{1,16}\Z")
_NOBODY = "-"
_LINES = 4
_PAD_OPEN = b',"pad":"'
_PAD_CLOSE = b'"}'


class Type(StrEnum):
    """What a container is; any other type line of this form needs a newer version."""

    ENVELOPE = "restante/1 envelope"
    ACCOUNT = "restante/1 account"
    KEYRING = "restante/1 keyring"
    STATE = "restante/1 state"
    SUCCESSION = "restante/1 succession"
    ALIAS = "restante/1 alias"
    RECEIPT = "restante/1 receipt"
    PROFILE = "restante/1 profile"


@dataclass(frozen=True, slots=True)
class Container:
    """A container whose signature, if it has one, was verified with ``signer``: whose key that is, is still open."""

    kind: Type
    signer: bytes | None
    payload: bytes
    raw: bytes

    def decode(self, shape: type[T]) -> T:
        """Parses the payload into a struct. Raises PayloadMalformed."""
        try:
            return ijson.decode(self.payload, shape)
        except ijson.BadJson as error:
            raise PayloadMalformed(str(error)) from error

    def require_signer(self) -> bytes:
        """Returns the signer's public key. Raises SignatureMissing."""
        if self.signer is None:
            raise SignatureMissing
        return self.signer


def write(kind: Type, content: Any, *, key: SigningKey | None) -> bytes:
    """Writes a container around a struct or mapping; without a key it is unsigned."""
    return _assemble(kind, ijson.encode(content), key)


def write_padded(kind: Type, content: Any, *, key: SigningKey | None) -> bytes:
    """Writes a container whose last key ``pad`` fills it to a multiple of 4,096 bytes."""
    payload = ijson.encode(content)
    overhead = len(_assemble(kind, b"", key))
    return _assemble(kind, pad(payload, overhead=overhead), key)


def pad(payload: bytes, *, overhead: int = 0) -> bytes:
    """Adds the key ``pad`` to a JSON object, so that it and ``overhead`` are a multiple of 4,096 bytes."""
    body = payload.removesuffix(b"}")
    opening = _PAD_OPEN if body != b"{" else _PAD_OPEN.removeprefix(b",")
    bare = overhead + len(body) + len(opening) + len(_PAD_CLOSE)
    return body + opening + b"0" * (-bare % CONTAINER_PAD_BYTES) + _PAD_CLOSE


def read(data: bytes, expected: Type, *, limit: int) -> Container:
    """Splits, checks the type, verifies the signature; the payload is not yet parsed.

    Raises ContainerTooLarge, ContainerMalformed, NeedsNewerVersion, WrongType, BadSigningKey or BadSignature.
    """
    if len(data) > limit:
        raise ContainerTooLarge
    lines = data.split(b"\n", _LINES - 1)
    kind = _read_type(lines[0], expected)
    if len(lines) != _LINES:
        raise ContainerMalformed
    signer = _read_signer(lines[1])
    signature = _read_field(lines[2], SIGNATURE_BYTES)
    if (signer is None) != (signature is None):
        raise ContainerMalformed
    if signer is not None and signature is not None:
        verify(signer, signature, _signed_bytes(kind, lines[1], lines[3]))
    return Container(kind, signer, lines[3], data)


def _assemble(kind: Type, payload: bytes, key: SigningKey | None) -> bytes:
    signer = (b64(key.public) if key else _NOBODY).encode()
    signature = (b64(key.sign(_signed_bytes(kind, signer, payload))) if key else _NOBODY).encode()
    return b"\n".join((kind.encode(), signer, signature, payload))


def _signed_bytes(kind: Type, signer: bytes, payload: bytes) -> bytes:
    return b"\x00".join((kind.encode(), signer, payload))


def _read_type(line: bytes, expected: Type) -> Type:
    if not _TYPE_LINE.match(line):
        raise ContainerMalformed
    try:
        kind = Type(line.decode("ascii"))
    except ValueError as error:
        raise NeedsNewerVersion(line.decode("ascii")) from error
    if kind is not expected:
        raise WrongType(f"{kind.value}, not {expected.value}")
    return kind


def _read_signer(line: bytes) -> bytes | None:
    try:
        return _read_field(line, KEY_BYTES)
    except ContainerMalformed as error:
        raise BadSigningKey from error


def _read_field(line: bytes, size: int) -> bytes | None:
    """Reads ``-`` or the canonical base64url of ``size`` bytes."""
    if line == _NOBODY.encode():
        return None
    try:
        return unb64(line.decode("ascii"), size=size)
    except ValueError as error:
        raise ContainerMalformed from error
