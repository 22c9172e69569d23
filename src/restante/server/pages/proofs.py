"""Proof of work before a stranger may leave a message: ALTCHA 2, made and judged here, each taken once.

[Note: A bounded riddle] The server chooses the counter that solves it, within a range, so that the work never takes much
longer than it takes on average; and signs the solution, so that judging costs it nothing.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta

import altcha

from restante.protocol.wire_pages import Challenge
from restante.server.errors import Refusal

ALGORITHM = "PBKDF2/SHA-256"
COUNTERS = range(100, 200)
"""How many keys are derived until the right one is found."""
GOOD_FOR = timedelta(minutes=20)


class Proofs:
    """Makes challenges for a page's name, and takes their solutions; ``cost`` is PBKDF2's rounds."""

    def __init__(self, key: bytes, *, cost: int) -> None:
        self._challenge_key = hmac.new(key, b"challenge", hashlib.sha256).digest()
        self._solution_key = hmac.new(key, b"solution", hashlib.sha256).digest()
        self._cost = cost

    def make(self, name: str, *, now_ms: int) -> Challenge:
        """Makes a challenge; deriving its key takes some milliseconds."""
        made = altcha.create_challenge(
            algorithm=ALGORITHM,
            cost=self._cost,
            counter=COUNTERS.start + secrets.randbelow(len(COUNTERS)),
            expires_at=now_ms // 1000 + int(GOOD_FOR.total_seconds()),
            data={"page": name},
            hmac_secret=self._challenge_key,
            hmac_key_secret=self._solution_key,
        ).to_dict()
        return Challenge(made["parameters"], made["signature"])

    def take(self, payload: str, name: str, *, now_ms: int) -> tuple[str, int]:
        """Judges a solution; returns its nonce and until when (ms) that must be remembered. Raises Refusal proof-refused."""
        judged = altcha.verify_solution(payload, self._challenge_key, hmac_key_secret=self._solution_key)
        if not judged.verified:
            raise Refusal("proof-refused")
        parameters = altcha.Payload.from_base64(payload).challenge.parameters
        expires_ms = (parameters.expires_at or 0) * 1000
        if parameters.data != {"page": name} or expires_ms <= now_ms:
            raise Refusal("proof-refused")
        return str(parameters.nonce), expires_ms
