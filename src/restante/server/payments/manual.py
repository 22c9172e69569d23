"""Paid by hand: people see where to send the money, and the operator records what arrived (`restante operator payments`).

The plan follows as a grant (`plans/desk.py`), so there is nothing to ask anybody for.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Literal

from restante.server.asgi import RawHeaders
from restante.server.errors import Refusal
from restante.server.payments.provider import Begun, Held, Language
from restante.server.plans.terms import Plan


class Manual:
    """See the module."""

    name: Literal["stripe", "manual"] = "manual"

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words

    async def register(self, account: str) -> str:
        """A reference that fits on a transfer, such as RQ7K-M2XA."""
        text = base64.b32encode(hashlib.sha256(account.encode()).digest()[:5]).decode()
        return f"{text[:4]}-{text[4:]}"

    async def begin(self, customer: str, plan: Plan, *, language: Language) -> Begun:  # noqa: ARG002 - the words have all languages
        """Says where to send it, and under which reference."""
        return Begun(words=self._words, reference=customer)

    async def manage(self, customer: str, *, language: Language) -> str:  # noqa: ARG002 - the interface's
        """There is no page."""
        raise Refusal("payments-unavailable")

    def heard(self, headers: RawHeaders, body: bytes, *, now_ms: int) -> str | None:  # noqa: ARG002 - the interface's
        """Nobody sends notices."""
        raise Refusal("not-found")

    async def held(self, customer: str) -> list[Held]:  # noqa: ARG002 - what was paid is a grant
        """Nothing besides grants."""
        return []

    async def forget(self, customer: str) -> None:
        """The operator's books are elsewhere."""

    async def close(self) -> None:
        """Nothing is open."""
