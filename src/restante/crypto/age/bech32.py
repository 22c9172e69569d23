"""Bech32 (BIP 173) without its limit of 90 characters, as age spells its keys."""

from collections.abc import Iterable, Iterator

from restante.crypto.age.errors import BadKey

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK_SYMBOLS = 6


def encode(prefix: str, data: bytes) -> str:
    """Writes ``prefix``, ``1``, the data and a check sum, in the lower case."""
    symbols = list(_symbols(data))
    rest = _polymod([*_expanded(prefix), *symbols, *[0] * _CHECK_SYMBOLS]) ^ 1
    check = [rest >> 5 * (_CHECK_SYMBOLS - 1 - place) & 31 for place in range(_CHECK_SYMBOLS)]
    return prefix + "1" + "".join(_ALPHABET[symbol] for symbol in (*symbols, *check))


def decode(prefix: str, text: str, *, size: int) -> bytes:
    """Reads ``size`` bytes from the text that ``encode`` makes of them, and from no other. Raises BadKey."""
    body = text.removeprefix(prefix + "1")
    if body == text:
        raise BadKey(f"does not begin with {prefix}1")
    symbols = [_VALUES.get(character, 0) for character in body]
    data = _bytes(symbols[:-_CHECK_SYMBOLS])
    if len(data) != size or encode(prefix, data) != text:
        raise BadKey(f"mistyped, or not the encoding of {size} bytes")
    return data


def _expanded(prefix: str) -> list[int]:
    return [*(ord(character) >> 5 for character in prefix), 0, *(ord(character) & 31 for character in prefix)]


def _polymod(symbols: Iterable[int]) -> int:
    rest = 1
    for symbol in symbols:
        top = rest >> 25
        rest = (rest & 0x1FFFFFF) << 5 ^ symbol
        for place, term in enumerate(_GENERATOR):
            if top >> place & 1:
                rest ^= term
    return rest


def _symbols(data: bytes) -> Iterator[int]:
    """Cuts the bits into fives, with zeros at the end."""
    held, bits = 0, 0
    for byte in data:
        held, bits = (held << 8 | byte) & 0xFFF, bits + 8
        while bits >= 5:
            bits -= 5
            yield held >> bits & 31
    if bits:
        yield held << 5 - bits & 31


def _bytes(symbols: Iterable[int]) -> bytes:
    """Joins fives to bytes and drops the rest; a re-encoding tells whether they were zeros."""
    data, held, bits = bytearray(), 0, 0
    for symbol in symbols:
        held, bits = (held << 5 | symbol) & 0xFFF, bits + 5
        if bits >= 8:
            bits -= 8
            data.append(held >> bits & 0xFF)
    return bytes(data)
