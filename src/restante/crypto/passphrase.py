"""Passphrases: made of six words, or chosen and then judged; stretched by Argon2id (docs/protocol/keys.md)."""

import re
import unicodedata

from xkcdpass import xkcd_password  # type: ignore[import-untyped] # it ships without types

from restante.crypto.errors import PassphraseTooShort, PassphraseTooSimple, SaltMalformed
from restante.crypto.kdf import SALT_BYTES, Access, argon2id, unlock_access

WORDS = 6
"""Six of 7,776 words: 77 bits."""
CHOSEN_CHARACTERS = 12
_DISTINCT_CHARACTERS = 6
_LIST_WORDS = 7776
_SHORTEST, _LONGEST = 3, 9
_WHITE = re.compile(r"[\t\n\v\f\r ]+")


def generate() -> str:
    """Makes six words of the EFF's long list, by the system's randomness, with spaces between."""
    file = xkcd_password.locate_wordfile("eff-long")
    words = xkcd_password.generate_wordlist(file, min_length=_SHORTEST, max_length=_LONGEST)
    if len(set(words)) != _LIST_WORDS:
        raise RuntimeError("the word list is not the EFF's long one")
    passphrase: str = xkcd_password.generate_xkcdpassword(words, numwords=WORDS, delimiter=" ")
    return passphrase


def normalise(passphrase: str) -> str:
    """Brings every way to type it to one: NFKC, runs of white space to one space, none at the ends."""
    return _WHITE.sub(" ", unicodedata.normalize("NFKC", passphrase)).strip(" ")


def check_chosen(passphrase: str, *, name: str) -> None:
    """Judges a passphrase that a person made up. Raises PassphraseTooShort or PassphraseTooSimple.

    At least 12 characters, 6 of them different; without the account's name still 12.
    """
    plain = normalise(passphrase).casefold()
    if len(plain) < CHOSEN_CHARACTERS:
        raise PassphraseTooShort
    if len(set(plain)) < _DISTINCT_CHARACTERS or len(plain.replace(name.casefold(), "")) < CHOSEN_CHARACTERS:
        raise PassphraseTooSimple


def passphrase_access(passphrase: str, *, salt: bytes) -> Access:
    """Derives the way in. Takes a third of a second and 64 MiB. Raises SaltMalformed unless the salt is 16 bytes."""
    if len(salt) != SALT_BYTES:
        raise SaltMalformed
    return unlock_access(argon2id(normalise(passphrase).encode(), salt=salt))
