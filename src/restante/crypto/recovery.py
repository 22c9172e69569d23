"""The recovery code: 20 random bytes as eight groups of four symbols and a check symbol.

Symbols and check are Crockford's base 32: no I, L, O, U; the check symbol is the number modulo 37, so that every
single wrong symbol and every swap of neighbours is noticed. Implements docs/protocol/keys.md, "Recovery code".
"""

import secrets
from collections.abc import Callable

from restante.crypto.errors import RecoveryCodeMalformed, RecoveryCodeTypo

CODE_BYTES = 20
SYMBOLS = 32
GROUP = 4

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECK_ALPHABET = _ALPHABET + "*~$=U"
_BITS = 5
_FORGIVEN = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def new_code(*, random: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Makes the 20 bytes."""
    return random(CODE_BYTES)


def write_code(code: bytes) -> str:
    """Writes the code as it is shown and printed: ``XXXX-XXXX-…-XXXX-C``, 41 characters."""
    number = int.from_bytes(code, "big")
    symbols = "".join(_ALPHABET[number >> shift & 31] for shift in range(_BITS * (SYMBOLS - 1), -1, -_BITS))
    groups = [symbols[start : start + GROUP] for start in range(0, SYMBOLS, GROUP)]
    return "-".join([*groups, _CHECK_ALPHABET[number % len(_CHECK_ALPHABET)]])


def read_code(text: str) -> bytes:
    """Reads what a person typed: any case, I and L for 1, O for 0, spaces and hyphens anywhere.

    Raises RecoveryCodeMalformed, or RecoveryCodeTypo when the check symbol does not fit.
    """
    symbols = "".join(text.split()).upper().translate(_FORGIVEN)
    if len(symbols) != SYMBOLS + 1 or not set(symbols[:-1]) <= set(_ALPHABET):
        raise RecoveryCodeMalformed
    if symbols[-1] not in _CHECK_ALPHABET:
        raise RecoveryCodeMalformed
    number = 0
    for symbol in symbols[:-1]:
        number = number << _BITS | _ALPHABET.index(symbol)
    if _CHECK_ALPHABET.index(symbols[-1]) != number % len(_CHECK_ALPHABET):
        raise RecoveryCodeTypo
    return number.to_bytes(CODE_BYTES, "big")
