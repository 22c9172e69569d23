"""plans.toml: what the operator offers. Without the file there are no plans, and everything is free.

[Note: One file] The shipped example is docs/guides/plans.toml, and its comments are the reference. An unknown key is an error, since a misspelt limit would be
none.
"""

import re
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from restante.server.config import BadSettings, Settings
from restante.server.plans.terms import DAY_MS, FEATURES, Feature, Per, Plan, Plans

FILE = "plans.toml"
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_WHOLE = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
"""Currencies that payment providers count in whole units."""
_THOUSANDTHS = frozenset("bhd jod kwd omr tnd".split())

Words = str | dict[str, str]
Provider = Literal["none", "manual", "stripe"]
Tax = Literal["none", "included", "added"]


class _Plan(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    name: Words
    price: float | int | str = 0
    period: Literal["month", "year"] | UnsetType = UNSET
    messages: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    per: Per | UnsetType = UNSET
    kept: str | UnsetType = UNSET
    retention_days: Annotated[int, Meta(ge=1, le=36_500)] | UnsetType = UNSET
    features: list[Feature] | UnsetType = UNSET
    stripe_price: Annotated[str, Meta(max_length=200)] = ""


class _Payments(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    provider: Provider = "none"
    tax: Tax = "none"
    words: Words = ""


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    currency: Annotated[str, Meta(pattern=r"^[a-z]{3}$")]
    start: str
    grace_days: Annotated[int, Meta(ge=0, le=90)] = 7
    plan: Annotated[list[_Plan], Meta(min_length=1, max_length=50)]
    payments: _Payments = msgspec.field(default_factory=_Payments)


@dataclass(frozen=True, slots=True)
class Declared:
    """What the file says: the plans, and how they are paid."""

    plans: Plans
    provider: Provider = "none"
    tax: Tax = "none"
    words: dict[str, str] = field(default_factory=dict)
    """With `manual`: where to send the money."""


def load(settings: Settings) -> Declared | None:
    """Reads the file that the settings name, or the one in the data folder. Raises BadSettings."""
    path = Path(settings.plans) if settings.plans else settings.data / FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if settings.plans:
            raise BadSettings(f"RESTANTE_PLANS names {path}, which is not there") from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} cannot be read: {type(error).__name__}") from error
    declared = parse(text, called=str(path))
    if declared.provider == "stripe":
        _check_stripe(settings, str(path))
    return declared


def parse(text: str, *, called: str = FILE) -> Declared:
    """Reads plans. Raises BadSettings with one line that names what is wrong and where."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
        plans = Plans(
            all=tuple(_plan(each, file.currency) for each in file.plan),
            start=file.start,
            currency=file.currency,
            grace_ms=file.grace_days * DAY_MS,
        )
        _check(plans, file.payments)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{called} is no TOML: {error}") from error
    except (msgspec.ValidationError, ValueError) as error:
        raise BadSettings(f"{called}: {error}") from error
    return Declared(plans, file.payments.provider, file.payments.tax, _words(file.payments.words))


def minor_units(price: str, currency: str) -> int:
    """A price as payment providers count it: cents, or whole units where there are none smaller."""
    return int(Decimal(price).scaleb(_digits(currency)))


def _plan(each: _Plan, currency: str) -> Plan:
    every = None if each.period is UNSET else each.period
    messages = None if each.messages is UNSET else each.messages
    per: Per = "month" if every else "once"
    return Plan(
        id=each.id,
        name=_words(each.name),
        price=_price(each, currency),
        every=every,
        messages=messages,
        per=per if each.per is UNSET else each.per,
        kept_bytes=None if each.kept is UNSET else _size(each.kept, each.id),
        retention_days=None if each.retention_days is UNSET else each.retention_days,
        features=FEATURES if each.features is UNSET else frozenset(each.features),
        provider_price=each.stripe_price,
    )


def _check(plans: Plans, payments: _Payments) -> None:
    ids = [plan.id for plan in plans.all]
    for plan_id in ids:
        if ids.count(plan_id) > 1:
            raise ValueError(f"two plans are called `{plan_id}`")
    start = plans.find(plans.start)
    if start is None:
        raise ValueError(f"start names `{plans.start}`, which is no plan here")
    if start.every is not None:
        raise ValueError(f"start names `{start.id}`, which has a price: everybody begins with a free plan")
    for plan in plans.all:
        if plan.every and payments.provider == "stripe" and not plan.provider_price:
            raise ValueError(f"plan `{plan.id}` needs stripe_price, such as price_1Abc…")
    prices = [plan.provider_price for plan in plans.all if plan.provider_price]
    if len(set(prices)) < len(prices):
        raise ValueError("two plans have the same stripe_price")
    if payments.provider == "manual" and not payments.words:
        raise ValueError("payments: `manual` needs words that say where to send the money")


def _check_stripe(settings: Settings, called: str) -> None:
    for variable in ("stripe_key", "stripe_webhook_secret", "origins"):
        if not getattr(settings, variable):
            raise BadSettings(f"{called} wants stripe, which needs RESTANTE_{variable.upper()}")


def _price(each: _Plan, currency: str) -> str:
    try:
        price = Decimal(str(each.price))
    except ArithmeticError:
        raise ValueError(f"price of plan `{each.id}` is no number such as 4.99") from None
    if not price.is_finite() or price < 0 or price >= 10**9:
        raise ValueError(f"price of plan `{each.id}` is no number such as 4.99")
    if price.scaleb(_digits(currency)) % 1:
        raise ValueError(f"price of plan `{each.id}` has more digits than {currency} has")
    if bool(price) != (each.period is not UNSET):
        raise ValueError(f"plan `{each.id}` needs both a price and a period, or neither")
    return f"{price:f}"


def _digits(currency: str) -> int:
    if currency in _WHOLE:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


def _size(text: str, plan_id: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9}) ?([kmgt]?)(?:i?b)?", text.lower())
    if not match:
        raise ValueError(f"kept of plan `{plan_id}` is no size such as 10G")
    return int(match[1]) * _UNITS[match[2]]


def _words(words: Words) -> dict[str, str]:
    return {"en": words} if isinstance(words, str) else dict(words)
