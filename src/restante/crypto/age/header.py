"""The header of an age file: a version line, stanzas, and a line that authenticates them."""

import base64
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from restante.crypto.age.errors import BadMac, HeaderError

HEADER_BYTES = 256 * 1024
"""Longest header that is read; about 150 post-quantum stanzas."""

Bytes = bytes | bytearray | memoryview

_VERSION = b"age-encryption.org/v1"
_COLUMNS = 64
_ARGUMENT = re.compile(rb"[\x21-\x7e]+\Z")
_MAC_BYTES = 32


@dataclass(frozen=True)
class Stanza:
    """The file key, wrapped for one recipient: arguments (the first is the type) and a body."""

    args: tuple[str, ...]
    body: bytes


@dataclass(frozen=True)
class Header:
    """A header that obeys the grammar; ``signed`` are the bytes that its authentication code covers."""

    stanzas: tuple[Stanza, ...]
    signed: bytes
    mac: bytes
    size: int

    def authenticate(self, file_key: bytes) -> None:
        """Raises BadMac unless these very bytes were written by one who had the file key."""
        if not hmac.compare_digest(_mac(file_key, self.signed), self.mac):
            raise BadMac("the header was altered")


def derive(ikm: bytes, *, salt: bytes = b"", info: bytes) -> bytes:
    """HKDF-SHA256 to 32 bytes, the one key derivation of age."""
    return HKDF(SHA256(), 32, salt, info).derive(ikm)


def write_header(file_key: bytes, stanzas: Sequence[Stanza]) -> bytes:
    """Writes the header of these stanzas."""
    signed = b"\n".join([_VERSION, *map(_written, stanzas), b"---"])
    return signed + b" " + b64(_mac(file_key, signed)).encode() + b"\n"


def b64(data: bytes) -> str:
    """Writes standard base64 without padding."""
    return base64.b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: bytes | str) -> bytes:
    """Reads the one spelling of standard base64 without padding. Raises HeaderError."""
    raw = text.encode("ascii") if isinstance(text, str) else text
    try:
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except ValueError as error:
        raise HeaderError("not base64") from error
    if b64(data).encode() != raw:
        raise HeaderError("not canonical base64")
    return data


class HeaderParser:
    """Reads a header from pieces of any size; each line is looked at once."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._line_at = 0
        self._next: Callable[[bytes], None] = self._version
        self._stanzas: list[Stanza] = []
        self._args: tuple[str, ...] = ()
        self._body = bytearray()
        self._mac = b""

    def feed(self, data: Bytes) -> Header | None:
        """Takes what comes next; what follows the header is in ``rest`` when it is complete."""
        searched = len(self._held)
        self._held += data
        while not self._mac:
            end = self._held.find(b"\n", max(searched, self._line_at))
            if (end if end >= 0 else len(self._held)) >= HEADER_BYTES:
                raise HeaderError(f"longer than {HEADER_BYTES} bytes")
            if end < 0:
                return None
            line, self._line_at = bytes(self._held[self._line_at : end]), end + 1
            self._next(line)
        signed = bytes(self._held[: self._line_at - len(b" \n") - len(b64(self._mac))])
        return Header(tuple(self._stanzas), signed, self._mac, self._line_at)

    @property
    def rest(self) -> bytes:
        """What was fed beyond the header."""
        return bytes(self._held[self._line_at :])

    def _version(self, line: bytes) -> None:
        if line != _VERSION:
            raise HeaderError("not an age v1 file")
        self._next = self._stanza

    def _stanza(self, line: bytes) -> None:
        mark, _, rest = line.partition(b" ")
        if mark == b"->":
            self._args = _arguments(rest)
            self._next = self._body_line
        elif mark == b"---" and self._stanzas:
            self._mac = _exactly(unb64(rest), _MAC_BYTES)
        else:
            raise HeaderError("neither a stanza nor the end of the header")

    def _body_line(self, line: bytes) -> None:
        if len(line) > _COLUMNS:
            raise HeaderError(f"a body line of more than {_COLUMNS} columns")
        self._body += unb64(line)
        if len(line) == _COLUMNS:
            return
        self._stanzas.append(Stanza(self._args, bytes(self._body)))
        self._body.clear()
        self._next = self._stanza


def _arguments(line: bytes) -> tuple[str, ...]:
    args = line.split(b" ")
    if not all(_ARGUMENT.match(argument) for argument in args):
        raise HeaderError("a stanza's argument is empty or not printable")
    return tuple(argument.decode("ascii") for argument in args)


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise HeaderError(f"{len(data)} bytes where {size} are expected")
    return data


def _written(stanza: Stanza) -> bytes:
    body = b64(stanza.body)
    lines = [body[start : start + _COLUMNS] for start in range(0, len(body) + 1, _COLUMNS)]
    return "\n".join(["-> " + " ".join(stanza.args), *lines]).encode("ascii")


def _mac(file_key: bytes, signed: bytes) -> bytes:
    return hmac.digest(derive(file_key, info=b"header"), signed, "sha256")
