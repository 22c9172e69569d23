"""The six words that a machine and the browser show of the same recipient (docs/protocol/lifecycle.md)."""

import functools
import hashlib
from pathlib import Path

from xkcdpass import xkcd_password  # type: ignore[import-untyped] # it ships without types

COUNT = 6
_BITS = 13
_LIST_WORDS = 7776


def pairing_words(recipient: str) -> tuple[str, ...]:
    """Names a recipient (`age1…`): whoever compares six words compares 78 bits of its hash."""
    digest = hashlib.sha256(b"restante/1 pair\x00" + recipient.encode()).digest()
    number, size = int.from_bytes(digest, "big"), len(digest) * 8
    mask = 2**_BITS - 1
    places = [(number >> (size - _BITS * (place + 1)) & mask) % _LIST_WORDS for place in range(COUNT)]
    return tuple(_words()[place] for place in places)


@functools.cache
def _words() -> list[str]:
    """The list in its own order, which the library does not keep."""
    words = Path(xkcd_password.locate_wordfile("eff-long")).read_text("utf-8").split()
    if len(words) != _LIST_WORDS:
        raise RuntimeError("the word list is not the EFF's long one")
    return words
