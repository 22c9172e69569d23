"""Waiting for those who are told, in a house of this process."""

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, and_, or_, select

from restante.server.bus.memory import OUTBOX
from restante.server.db.tables import outbox
from restante.server.sessions.actor import Actor
from tests.api.household import parcel_for
from tests.api.inside import Inside

Head = dict[str, str]


async def until(inside: Inside, holds: Callable[[], bool]) -> None:
    """Waits for something, and keeps waking whoever works on the outbox."""
    deadline_s = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        inside.house.bus.publish([OUTBOX])
        await asyncio.sleep(0.01)


async def at_rest(inside: Inside) -> None:
    """Waits until nothing is due and nothing in hand: the courier's own loop may have claimed it, and be about to begin."""
    database = inside.house.database
    while await inside.house.courier.run() or await database.read(partial(_is_at_work, inside)):
        pass


def _is_at_work(inside: Inside, connection: Connection) -> bool:
    node = inside.house.database.node
    in_hand = and_(outbox.c.held_by == node, outbox.c.held_by != "")
    either = or_(in_hand, outbox.c.due_at <= inside.clock.now_ms())
    kinds = list(inside.house.courier._errands)
    return connection.execute(select(outbox.c.id).where(outbox.c.kind.in_(kinds), either)).first() is not None


async def actor_of(inside: Inside, head: Head) -> Actor:
    return await inside.house.sessions.actor(head["authorization"].removeprefix("Bearer "))


async def leave(inside: Inside, sender: Head, *names: str) -> str:
    parcel = parcel_for(names)
    await inside.house.messages.send(await actor_of(inside, sender), os.urandom(12).hex(), parcel)
    return parcel.message.id


async def subscribe(inside: Inside, head: Head, form: dict[str, str]) -> str:
    answer = await inside.client.put("/api/v1/notices/push", json=form, headers=head)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def tasks_of(inside: Inside, kind: str) -> list:
    whole = outbox.select().where(outbox.c.kind == kind)
    return await inside.house.database.read(lambda connection: list(connection.execute(whole)))


async def ann_and_bob(inside: Inside) -> tuple[Head, Head]:
    """Two accounts; Bob has accepted Ann."""
    ann, bob = await inside.sign_up("ann"), await inside.sign_up("bob")
    path = "/api/v1/account/acquaintances/ann"
    assert (await inside.client.put(path, json={"state": "accepted"}, headers=bob)).status_code == 204
    return ann, bob
