"""Waiting for those who are told, in a house of this process."""

import asyncio
import os
import time
from collections.abc import Callable

from sqlalchemy import select

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
    """Waits until nothing is due, and nothing in hand: where there may be other nodes, a task is claimed before it is begun."""
    database = inside.house.database
    in_hand = select(outbox.c.id).where(outbox.c.held_by == database.node, outbox.c.held_by != "")
    while await inside.house.courier.run() or await database.read(
        lambda connection: connection.execute(in_hand).first()
    ):
        pass


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
