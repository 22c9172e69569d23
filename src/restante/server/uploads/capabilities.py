"""Tokens of one upload that tell our nodes whose it is, and whoever bears one nothing.

[Note: Whose upload] A capability is asked on any node, which has to look in the shard of the upload's account. So it begins with
eight bytes that are the account's number under a mask: an HMAC, under a secret of the installation, of the 24 random bytes that
follow. What is stored, and compared, is the hash of the whole.
"""

import hmac
import secrets
from collections.abc import Callable

from restante.protocol.encoding import b64, unb64

_MASKED_BYTES, _RANDOM_BYTES = 8, 24
_MOST = 2**40
"""No account has so large a number: a token that seems to name one is of another kind, but for one in 16 million."""


def new_capability(
    key: bytes, account_id: int, *, random: Callable[[int], bytes] = secrets.token_bytes
) -> str:
    """Makes a token for an upload of the account."""
    tail = random(_RANDOM_BYTES)
    return b64((account_id ^ _mask(key, tail)).to_bytes(_MASKED_BYTES) + tail)


def account_in(key: bytes, token: str) -> int | None:
    """The account that a token names; None for one of another kind, or of the release before. It proves nothing."""
    try:
        whole = unb64(token, size=_MASKED_BYTES + _RANDOM_BYTES)
    except ValueError:
        return None
    found = int.from_bytes(whole[:_MASKED_BYTES]) ^ _mask(key, whole[_MASKED_BYTES:])
    return found if 0 < found < _MOST else None


def _mask(key: bytes, tail: bytes) -> int:
    return int.from_bytes(hmac.digest(key, tail, "sha256")[:_MASKED_BYTES])
