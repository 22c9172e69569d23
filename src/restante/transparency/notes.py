r"""Signed notes and the text form of the keys that verify them (https://c2sp.org/signed-note).

>>> key = NoteKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
>>> note = "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
>>> SignedNote.read(note.encode()).text_signed_by(key)
'This is an example message.\n'
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from restante.signing.errors import ContainerError
from restante.signing.keys import KEY_BYTES, SIGNATURE_BYTES, SigningKey, verify
from restante.transparency.errors import LogMalformed, LogSignatureBad

NOTE_BYTES = 256 * 1024
"""The list of the web app's files is the longest note."""
_ID_BYTES = 4
_TIME_BYTES = 8
_DASH = "\u2014"
_NAME = re.compile(r"[^\s+]{1,256}\Z")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Algorithm(IntEnum):
    """How a signature is made, and what over."""

    NOTE = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key, the name that it signs under, and what kind of signature it makes."""

    name: str
    public: bytes
    algorithm: Algorithm = Algorithm.NOTE

    @property
    def id(self) -> bytes:
        """The four bytes by which its signatures are found."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[
            :_ID_BYTES
        ]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_encode(bytes([self.algorithm]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``name+id+key``. Raises LogMalformed."""
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _decode(encoded)
        known = data[0] in list(Algorithm) if data else False
        if not _NAME.match(name) or len(data) != 1 + KEY_BYTES or not known:
            raise LogMalformed("a verifier key")
        key = cls(name, data[1:], Algorithm(data[0]))
        if key.id.hex() != key_id:
            raise LogMalformed("a verifier key")
        return key


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text and its signature lines, of which nothing is verified yet."""

    text: str
    signatures: tuple[tuple[str, bytes], ...]

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Splits a note. Raises LogMalformed."""
        try:
            whole = data.decode() if len(data) <= NOTE_BYTES else ""
        except UnicodeDecodeError as error:
            raise LogMalformed("a note") from error
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not lines.endswith("\n") or _CONTROL.search(whole):
            raise LogMalformed("a note")
        return cls(text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))

    def text_signed_by(self, key: NoteKey) -> str:
        """Returns the text if every signature of this key, and at least one, is right. Raises LogSignatureBad."""
        found = [signature for name, signature in self.signatures if _is_of(key, name, signature)]
        if not found:
            raise LogSignatureBad
        for signature in found:
            _check(key, self.text, signature[_ID_BYTES:])
        return self.text


def sign_note(text: str, name: str, key: SigningKey) -> bytes:
    """Signs a text, which ends in a line feed."""
    signature = NoteKey(name, key.public).id + key.sign(text.encode())
    return f"{text}\n{_DASH} {name} {_encode(signature)}\n".encode()


def cosign(note: bytes, name: str, key: SigningKey, *, time_s: int) -> bytes:
    """Adds a witness's timestamped signature to a note (https://c2sp.org/tlog-cosignature)."""
    text = SignedNote.read(note).text
    made = time_s.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned(text, time_s))
    signature = NoteKey(name, key.public, Algorithm.COSIGNATURE).id + made
    return note + f"{_DASH} {name} {_encode(signature)}\n".encode()


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _is_of(key: NoteKey, name: str, signature: bytes) -> bool:
    return name == key.name and signature.startswith(key.id)


def _check(key: NoteKey, text: str, signature: bytes) -> None:
    message = text.encode()
    if key.algorithm is Algorithm.COSIGNATURE:
        message = _cosigned(text, int.from_bytes(signature[:_TIME_BYTES], "big"))
        signature = signature[_TIME_BYTES:]
    if len(signature) != SIGNATURE_BYTES:
        raise LogSignatureBad
    try:
        verify(key.public, signature, message)
    except ContainerError as error:
        raise LogSignatureBad from error


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    data = _decode(encoded)
    if dash != _DASH or not _NAME.match(name) or len(data) <= _ID_BYTES:
        raise LogMalformed("a signature line")
    return name, data


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    """Reads standard base64 in its one canonical form. Raises LogMalformed."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise LogMalformed("base64") from error
    if _encode(data) != text:
        raise LogMalformed("base64")
    return data
