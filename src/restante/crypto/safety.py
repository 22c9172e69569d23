"""Safety numbers: what two people compare to know that nobody sits between them."""

import hashlib
from dataclasses import dataclass

from restante.protocol.encoding import b64

GROUPS = 12
GROUP_BYTES = 5
CODE = "restante/1 safety "
"""How the text of a QR code begins."""
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class SafetyNumber:
    """The 60 bytes, and how people compare them."""

    raw: bytes

    @property
    def code(self) -> str:
        """What a QR code says."""
        return f"{CODE}{b64(self.raw)}"

    def __str__(self) -> str:
        groups = (self.raw[start : start + GROUP_BYTES] for start in range(0, len(self.raw), GROUP_BYTES))
        return " ".join(f"{int.from_bytes(group, 'big') % 10**_DIGITS:0{_DIGITS}}" for group in groups)


def safety_number(one: tuple[str, bytes], other: tuple[str, bytes]) -> SafetyNumber:
    """Computes the number of two accounts, each an acct and its signing public key; the order does not matter."""
    low, high = sorted(acct.encode() + b"\x00" + sign for acct, sign in (one, other))
    return SafetyNumber(
        hashlib.sha512(b"restante/1 safety\x00" + low + high).digest()[: GROUPS * GROUP_BYTES]
    )
