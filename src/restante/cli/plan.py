"""`restante plan`."""

from datetime import UTC, datetime

import msgspec

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json
from restante.client.mine import ask_plan
from restante.protocol.wire_plans import Plan, Standing

_STATES = {
    "free": "everybody has it",
    "granted": "given by the operator",
    "paid": "goes on after {day}",
    "ending": "lasts until {day}",
    "late": "a payment failed: lasts until {day}, unless it is put right",
}


def plan(*, common: Common = DEFAULT) -> None:
    """Shows what you may send, what you used of it, and which other plans there are; they are paid in a browser.

    Args:
        common: options of every command.
    """
    with using_account(common) as account:
        standing = ask_plan(account)
    if common.json:
        put_json(msgspec.to_builtins(standing))
        return
    for line in lines(standing):
        put(line)


def lines(standing: Standing) -> list[str]:
    """The standing in words."""
    if not standing.on or standing.plan is None:
        return ["Everything is free on this server."]
    until = (
        ""
        if standing.until_at is None
        else f"{datetime.fromtimestamp(standing.until_at / 1000, UTC):%Y-%m-%d}"
    )
    state = _STATES[standing.state].format(day=until)
    told = [f"{_name(standing.plan)}: {state}"]
    if standing.messages is None:
        told.append("videos: as many as you like")
    else:
        told.append(f"videos: {standing.used} of {standing.messages} sent")
    if standing.kept_most is not None:
        told.append(f"kept: {standing.kept_bytes} of {standing.kept_most} bytes")
    if standing.retention_days is not None:
        told.append(f"videos stay {standing.retention_days} days at most")
    told += [f"to be had: {_name(offer)}, {_price(offer)}" for offer in standing.offers]
    return told


def _name(offer: Plan) -> str:
    return offer.name.get("en") or next(iter(offer.name.values()), offer.id)


def _price(offer: Plan) -> str:
    tax = {"none": "", "included": ", tax included", "added": ", plus tax"}[offer.tax]
    return f"{offer.price} {offer.currency.upper()} a {offer.every}{tax}"
