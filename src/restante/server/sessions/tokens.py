"""What the token of a session, or of an upload, is made of; pure.

[Note: Tokens that know their shard] A token is 32 bytes: the account's number, XOR the beginning of an HMAC of the rest under a key of
the server's, and 24 random bytes. So a node knows which shard keeps the session or upload, and its bearer learns no number. The number lets
nobody in: it only says where to look for the hash of the whole. Tokens made before are 32 random bytes; one in sixteen
million of them comes out as a number that an account could have.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

TOKEN_BYTES = 32
_NUMBER_BYTES = 8
_NUMBERS = 2**40
"""More accounts than there will be."""


def new_token(account_id: int, *, key: bytes, random: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Makes a token that no other is like."""
    rest = random(TOKEN_BYTES - _NUMBER_BYTES)
    return (account_id ^ _mask(rest, key)).to_bytes(_NUMBER_BYTES) + rest


def account_in(token: bytes, *, key: bytes) -> int | None:
    """The number of the account that a token is for, if it is one of these; None for nearly every other."""
    number = int.from_bytes(token[:_NUMBER_BYTES]) ^ _mask(token[_NUMBER_BYTES:], key)
    return number if number < _NUMBERS else None


def _mask(rest: bytes, key: bytes) -> int:
    return int.from_bytes(hmac.digest(key, rest, hashlib.sha256)[:_NUMBER_BYTES])
