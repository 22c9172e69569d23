"""How a log asks a witness to sign its checkpoint (https://c2sp.org/tlog-witness), and what it takes of the answer.

>>> text = "https://witness.example/log/ witness.example+3ac253b8+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
>>> Witness.parse(text).address
'https://witness.example/log/add-checkpoint'
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from restante.transparency.errors import LogMalformed
from restante.transparency.notes import Algorithm, NoteKey, SignedNote

SIZE_TYPE = "text/x.tlog.size"
ANSWER_BYTES = 64 * 1024
_URL = re.compile(r"https?://[^\s?#@]+\Z", re.ASCII)
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,15})\n?\Z")


@dataclass(frozen=True, slots=True)
class Witness:
    """Where a witness is asked, and the key by which its signatures are told from others."""

    url: str
    key: NoteKey

    @property
    def address(self) -> str:
        """Where checkpoints are handed in."""
        return f"{self.url.rstrip('/')}/add-checkpoint"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``URL NAME+ID+KEY``. Raises LogMalformed."""
        url, _, key = text.strip().partition(" ")
        found = NoteKey.parse(key.strip())
        if not _URL.match(url) or found.algorithm is not Algorithm.COSIGNATURE:
            raise LogMalformed("a witness")
        return cls(url, found)


def submission(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """Writes what a witness is sent: the size that it signed last, the proof from there on, and the checkpoint."""
    lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof), "", ""]
    return "\n".join(lines).encode() + note


def size_told(body: bytes) -> int:
    """Reads how far a witness is that expected another size. Raises LogMalformed."""
    found = _SIZE.match(body)
    if found is None:
        raise LogMalformed("a witness's size")
    return int(found[1])


def cosignature(note: bytes, answer: bytes, key: NoteKey) -> bytes:
    """Returns the line by which this witness signed the checkpoint; others in the answer are left away.

    Raises LogMalformed, and LogSignatureBad where it did not sign it.
    """
    whole = note + answer
    SignedNote.read(whole).text_signed_by(key)
    for line in answer.splitlines(keepends=True):
        signed = SignedNote.read(note + line)
        if signed.signatures[-1][0] == key.name and signed.signatures[-1][1].startswith(key.id):
            return line
    raise AssertionError("text_signed_by found a line of this key")
