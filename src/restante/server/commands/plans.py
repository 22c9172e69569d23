"""`restante operator plans`, `grants` and `payments`: what people may send, what is given, and what was paid by hand."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection

from restante.server.commands.office import Misused, day, failed, in_database, note, plain, print_json
from restante.server.config import BadSettings, Settings, from_environment
from restante.server.desk.plans import END, GIVE, PAY
from restante.server.plans import declared, desk
from restante.server.plans.declared import Declared
from restante.server.plans.service import count_in_force
from restante.server.plans.terms import DAY_MS, Plan, State

_COUNTED: tuple[State, ...] = ("paid", "ending", "late", "granted")
_SHOWS_GRANTS = "restante operator grants list shows them."


def plans(
    action: Literal["list", "check", "count"] = "list", *, data: Path | None = None, json: bool = False
) -> int:
    """Shows the plans that this server's file declares; `check` says only whether the file is right, `count` how many have each.

    Args:
        action: what to do.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    return _told(lambda: _plans(action, _settings(data), as_json=json))


def grants(
    action: Literal["list", "give", "end"],
    who: str = "",
    *,
    data: Path | None = None,
    plan: str = "",
    videos: int = 0,
    days: int = 0,
    reason: str = "",
    json: bool = False,
) -> int:
    """Gives people plans or videos besides, and takes them back.

    Args:
        action: what to do.
        who: with give and list, the name of an account; with end, the beginning of a grant's id.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        plan: with give, the plan.
        videos: with give, how many videos may be sent besides.
        days: with give, for how many days (default: for good).
        reason: why; nobody but operators sees it.
        json: prints JSON.
    """
    gift = desk.Gift(plan, videos, _until(days), reason)

    def act(connection: Connection, folder: Path, now_ms: int) -> Any:
        if action == "list":
            return [_shown(row) for row in desk.listed(connection, name=who)]
        if action == "give":
            made = desk.give(connection, who, gift, now_ms=now_ms)
            note(connection, folder, GIVE, made, reason, now_ms=now_ms)
        else:
            made = desk.take_back(connection, who, now_ms=now_ms)
            note(connection, folder, END, made, now_ms=now_ms)
        return _shown(desk.one(connection, made))

    def work() -> None:
        settings = _settings(data)
        if action == "give":
            _check_gift(gift, settings)
        _show(_acted(settings, act), as_json=json)

    return _told(work)


def payments(
    who: str,
    plan: str,
    *,
    reference: str,
    periods: int = 1,
    data: Path | None = None,
    reason: str = "",
    json: bool = False,
) -> int:
    """Records a payment that arrived: the plan follows. `grants end` takes it back.

    Args:
        who: the name of an account, or the reference that it was told to pay with.
        plan: the plan that was paid.
        reference: the bank's own for this payment: with the same one it counts once.
        periods: how many months or years of the plan it pays.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        reason: words for the books.
        json: prints JSON.
    """

    def work() -> None:
        settings = _settings(data)
        paid = _priced(plan, settings)
        if periods < 1 or not reference:
            raise Misused("a payment has a reference and pays one period or more", "Add --reference TEXT.")

        def act(connection: Connection, folder: Path, now_ms: int) -> Any:
            name = desk.name_by_reference(connection, who) or who
            made = desk.record_payment(
                connection, name, paid, reference=reference, periods=periods, reason=reason, now_ms=now_ms
            )
            note(connection, folder, PAY, made, reference, now_ms=now_ms)
            return _shown(desk.one(connection, made))

        _show(_acted(settings, act), as_json=json)

    return _told(work)


def _told(work: Callable[[], None]) -> int:
    try:
        work()
    except Misused as error:
        return failed(error)
    except desk.NoSuchAccount:
        return failed(Misused("nobody has this name here", "Check the spelling."))
    except desk.NoSuchGrant:
        return failed(Misused("no grant, or more than one, has an id that begins so", _SHOWS_GRANTS))
    except desk.PaidBefore:
        return failed(Misused("this reference was recorded for another payment", _SHOWS_GRANTS))
    return 0


def _settings(data: Path | None) -> Settings:
    try:
        return from_environment(data=data)
    except BadSettings as error:
        raise Misused(str(error), "docs/reference/settings.md lists what can be set.") from error


def _declared(settings: Settings) -> Declared:
    try:
        found = declared.load(settings)
    except BadSettings as error:
        raise Misused(str(error), "docs/guides/plans.md explains the file.") from error
    if found is None:
        raise Misused(
            f"there is no {settings.data / declared.FILE}: everything is free",
            "docs/guides/plans.toml is an example.",
        )
    return found


def _acted(settings: Settings, act: Callable[[Connection, Path, int], Any]) -> Any:
    now_ms = time.time_ns() // 1_000_000
    return in_database(settings.data, lambda connection: act(connection, settings.data, now_ms))


def _check_gift(gift: desk.Gift, settings: Settings) -> None:
    if bool(gift.plan) == (gift.messages > 0):
        raise Misused("a grant is a plan, or a number of videos", "Add --plan PLAN or --videos N.")
    if gift.plan and _declared(settings).plans.find(gift.plan) is None:
        raise Misused(f"there is no plan `{gift.plan}`", "restante operator plans shows them.")


def _priced(plan_id: str, settings: Settings) -> Plan:
    plan = _declared(settings).plans.find(plan_id)
    if plan is None or plan.every is None:
        raise Misused(f"`{plan_id}` is no plan with a price", "restante operator plans shows them.")
    return plan


def _until(days: int) -> int | None:
    return time.time_ns() // 1_000_000 + days * DAY_MS if days > 0 else None


def _plans(action: str, settings: Settings, *, as_json: bool) -> None:
    found = _declared(settings)
    if action == "check" and not as_json:
        print(f"{len(found.plans.all)} plans, all right.", file=sys.stderr)
        return
    if action == "count":
        _show_counts(found, settings, as_json=as_json)
        return
    each = [_plan_line(plan, found) for plan in found.plans.all]
    if as_json:
        print_json(each)
        return
    for one in each:
        price = f"{one['price']} {one['currency'].upper()} a {one['every']}" if one["every"] else "free"
        videos = "any number of videos" if one["messages"] is None else f"{one['messages']} videos"
        print("  ".join([one["id"], price, videos if one["messages"] is None else f"{videos} {_per(one)}"]))


def _show_counts(found: Declared, settings: Settings, *, as_json: bool) -> None:
    counts = _acted(
        settings, lambda connection, _, now_ms: count_in_force(connection, found.plans, now_ms=now_ms)
    )
    lines = [
        {"id": plan.id} | {state: counts[plan.id, state] for state in _COUNTED} for plan in found.plans.all
    ]
    if as_json:
        print_json(lines)
        return
    for line in lines:
        print("  ".join([str(line["id"]), *(f"{line[state]} {state}" for state in _COUNTED)]))


def _per(plan: dict[str, Any]) -> str:
    return "once" if plan["per"] == "once" else f"a {plan['per']}"


def _plan_line(plan: Plan, found: Declared) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": dict(plan.name),
        "price": plan.price,
        "currency": found.plans.currency,
        "every": plan.every,
        "messages": plan.messages,
        "per": plan.per,
        "kept_bytes": plan.kept_bytes,
        "retention_days": plan.retention_days,
        "features": sorted(plan.features),
    }


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "account": row.name,
        "plan": row.plan or None,
        "videos": row.messages,
        "begins_at": row.begins_at,
        "ends_at": row.ends_at,
        "source": row.source,
        "reference": row.reference,
        "reason": row.reason,
    }


def _show(told: list[dict[str, Any]] | dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    lines = told if isinstance(told, list) else [told]
    for one in lines:
        what = one["plan"] or f"{one['videos']} videos"
        until = "for good" if one["ends_at"] is None else f"to {day(one['ends_at'])}"
        words = [one["id"], one["account"], what, f"from {day(one['begins_at'])}", until, one["source"]]
        print(
            "  ".join(plain(str(word)) for word in [*words, one["reference"] or "", one["reason"]]).rstrip()
        )
    if not lines:
        print("Nothing was given.", file=sys.stderr)
