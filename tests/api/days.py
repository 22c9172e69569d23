"""A day in a mailbox, in this process, and every statement that goes to the database meanwhile."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from restante.server.outbox import events
from restante.server.sessions import presence, queries
from restante.server.sessions.service import digest_of
from tests.api.inside import Inside
from tests.api.parcels import TUS, make_parcel, new_key

GROWS = {
    *("accounts", "messages", "envelopes", "deliveries", "events", "event_ends", "uploads", "sessions"),
    *("outbox", "idempotency_keys", "rate_buckets", "acquaintances"),
}
"""Tables that grow with people and messages, all of which the day visits."""


@contextmanager
def overheard() -> Iterator[dict[str, Any]]:
    """Collects every statement that goes to a database, with parameters of one of its runs."""
    said: dict[str, Any] = {}

    def hear(
        _c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
    ) -> None:
        several = executemany and isinstance(parameters, list)
        said.setdefault(statement, parameters[0] if several else parameters)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


async def look_after_session(inside: Inside, who: dict[str, str]) -> None:
    """What is noted of a session at its first request in an hour, while a live channel is open, and at a sign-in or pairing."""
    sessions, token = inside.house.sessions, who["authorization"].removeprefix("Bearer ")
    actor = await sessions.actor(token)
    account_id, session_id, now_ms = actor.account_id, actor.session_id, inside.clock.now_ms()
    whose = {digest_of(token): account_id, b"ended": account_id}

    def work(connection: Connection) -> None:
        assert presence.call_roll(connection, whose, now_ms=now_ms).ended == {b"ended"}
        presence.note_use(connection, whose, now_ms=now_ms)
        queries.touch(connection, account_id, session_id, now_ms=now_ms)
        queries.mark_removed(connection, account_id, "ses_other", now_ms=now_ms)
        other = sessions.create(connection, account_id, "cli")
        assert sessions.renew(connection, account_id, other.id)
        queries.remove(connection, account_id, other.id)
        sessions.note_verified(connection, actor)

    await inside.house.database.write(work)


async def day(
    inside: Inside, over: Callable[[str], None] = lambda _: None, *, elsewhere: Inside | None = None
) -> None:
    """Upload, send, lists, pages, details, video, marks, a live channel that comes back, deletion; says when each is ``over``.

    Half of the upload goes to the node ``elsewhere``, where there is one, which has never heard of it.
    """
    ann, bob = await inside.sign_up("ann"), await inside.sign_up("bob")

    async def ask(method: str, path: str, who: dict[str, str], *, node: Inside = inside, **more: Any) -> Any:
        headers = {**who, **more.pop("headers", {})}
        answer = await node.client.request(method, f"/api/v1/{path}", headers=headers, **more)
        assert answer.status_code < 300, answer.text
        return answer

    async def is_noted() -> bool:
        return "removed" in (await ask("GET", "account/audit", ann)).text

    over("sign-up")
    await ask("PUT", "sessions/current", ann, json={"label": "here", "device": None})
    for path in ("sessions", "notices"):
        await ask("GET", path, ann)
    await ask("DELETE", "sessions/others", ann)
    await look_after_session(inside, ann)
    over("sessions")
    created = await ask("POST", "uploads", ann, headers={**TUS, "upload-length": "6000"})
    upload = created.headers["location"].rpartition("/")[2]
    over("create an upload")
    body = {**TUS, "content-type": "application/offset+octet-stream"}
    bearer = {"authorization": f"Bearer {created.headers['upload-capability']}"}
    for at, node in ((0, elsewhere or inside), (3000, inside)):
        half = {**body, "upload-offset": str(at)}
        await ask("PATCH", f"uploads/{upload}", bearer, node=node, headers=half, content=os.urandom(3000))
    over("PATCH")
    parcel = make_parcel("bob", upload=upload)
    await ask("POST", "messages", ann, headers={"idempotency-key": new_key()}, files=parcel.files())
    over("send")
    other = make_parcel("bob")
    await ask("POST", "messages", ann, headers={"idempotency-key": new_key()}, files=other.files())
    over("send again")
    for box, who in (("inbox", bob), ("sent", ann)):
        first = await ask("GET", box, who, params={"limit": 1})
        await ask("GET", box, who, params={"limit": 1, "cursor": first.json()["cursor"]})
        await ask("GET", box, who, params={"since": 0, "envelopes": "none"})
        over(box)
    for path, name in (("", "one message"), ("/details", "details"), ("/video", "video")):
        await ask("GET", f"messages/{parcel.id}{path}", bob)
        over(name)
    for mark in ("fetched", "played"):
        await ask("POST", f"messages/{parcel.id}/marks", bob, json={"mark": mark})
    over("marks")
    await inside.house.database.read(lambda connection: events.is_known(connection, 2, 1))
    await inside.house.database.read(lambda connection: events.newest(connection, 2))
    await inside.house.database.read(lambda connection: events.after(connection, 2, 0))
    over("events")
    await ask("DELETE", f"messages/{parcel.id}", bob, params={"for": "me"})
    await ask("DELETE", f"messages/{parcel.id}", ann, params={"for": "everyone"})
    await inside.house.jobs.dispatcher.run()
    async with asyncio.timeout(20):
        while not await is_noted():  # noqa: ASYNC110 - another node may have the removal in hand, and tells nobody
            await asyncio.sleep(0.01)
    over("deletion")
