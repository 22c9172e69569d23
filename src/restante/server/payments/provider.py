"""What a payment provider is to the rest: one file each, and nothing else knows of it.

[Note: Asked, not told] What a provider sends says only that something changed with a customer. What holds is always asked for anew, so news may come twice, in
any order, late, or never: then a sweep asks once a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from restante.server.asgi import RawHeaders
from restante.server.plans.terms import Plan, Subscription

Language = Literal["en", "fr"]


class ProviderSilent(Exception):
    """The provider does not answer, or not as it should: what holds is not known now."""


class WrongPrice(Exception):
    """The provider sells this plan under another price than the operator's file says: nothing is sold."""


@dataclass(frozen=True, slots=True)
class Held:
    """A subscription under the provider's id."""

    id: str
    subscription: Subscription


@dataclass(frozen=True, slots=True)
class Begun:
    """How to pay: a page to go to, or words and a reference."""

    url: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""


class Provider(Protocol):
    """Raises ProviderSilent wherever it has to ask outside."""

    name: Literal["stripe", "manual"]

    async def register(self, account: str) -> str:
        """Makes an account known, under a name that says nothing; returns what it is called there. Again: the same."""
        ...

    async def begin(self, customer: str, plan: Plan, *, language: Language) -> Begun:
        """Begins to pay for a plan, or changes to it. Raises Refusal already-subscribed, WrongPrice."""
        ...

    async def manage(self, customer: str, *, language: Language) -> str:
        """The page where cards, invoices and the end of a plan are. Raises Refusal payments-unavailable."""
        ...

    def heard(self, headers: RawHeaders, body: bytes, *, now_ms: int) -> str | None:
        """The customer that a notice is about; None: nobody's. Raises Refusal notice-refused, not-found."""
        ...

    async def held(self, customer: str) -> list[Held]:
        """What the customer has now, and what ended."""
        ...

    async def forget(self, customer: str) -> None:
        """Ends what is paid for at once, and removes the customer. Twice is once."""
        ...

    async def close(self) -> None:
        """Closes connections."""
        ...
