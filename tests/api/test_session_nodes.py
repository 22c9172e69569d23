"""Sessions of two processes on one database: how long they last, which tokens are good, and what one process still knows."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from restante.protocol.encoding import b64, unb64
from restante.server.bus.memory import MemoryBus
from restante.server.db.tables import accounts
from restante.server.db.tables import sessions as table
from restante.server.errors import Refusal
from restante.server.sessions.service import FRESH_FOR_S, NewSession, Sessions
from restante.server.sessions.tokens import account_in, new_token
from tests.laying import database_in

DAY_MS = 24 * 3600 * 1000
HOUR_MS = 3600 * 1000
START_MS = 1_800_000_000_000
KEY = b"k" * 32


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.wall_ms = START_MS
        self.running_s = 0.0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic_s(self) -> float:
        return self.running_s

    def move(self, ms: int) -> None:
        self.wall_ms += ms
        self.running_s += ms / 1000


class Nodes:
    """Two processes' session rooms on one database, with one clock."""

    def __init__(self, path: Path) -> None:
        self.clock = Hands()
        self.database = database_in(path)
        self.here, self.there = (
            Sessions(self.database, self.clock, bus=MemoryBus(), key=KEY) for _ in range(2)
        )

    async def sign_in(self) -> NewSession:
        def work(connection):
            added = insert(accounts).values(name="ann", created_at=0).returning(accounts.c.id)
            account_id = connection.execute(added).scalar_one()
            return self.here.create(connection, account_id, "cli")

        return await self.database.write(work)

    async def give_token(self, session: NewSession, token: bytes) -> NewSession:
        """Has the session bear a token that this release would not make."""
        digest = hashlib.sha256(token).digest()
        await self.database.write(
            lambda connection: connection.execute(update(table).values(token_sha256=digest))
        )
        return NewSession(session.id, b64(token))

    async def is_in(self, sessions: Sessions, session: NewSession) -> bool:
        try:
            actor = await sessions.actor(session.token)
        except Refusal:
            return False
        return (actor.name, actor.session_id) == ("ann", session.id)

    async def last_seen_ms(self, session: NewSession) -> int:
        """Reads what is stored, once the writes that were asked for are through."""
        actor = await self.here.actor(session.token)
        await asyncio.sleep(0)
        await self.database.write(lambda _: None)
        return (await self.here.list(actor)).items[0].last_seen_at


def run(path: Path, story: Callable[[Nodes], Awaitable[None]]) -> None:
    async def whole() -> None:
        nodes = Nodes(path)
        nodes.database.start()
        try:
            await story(nodes)
        finally:
            nodes.database.stop()

    asyncio.run(whole())


def looking_like_ours() -> bytes:
    """A token of the release before, from which a number that an account may have comes out by chance."""
    return new_token(2**33, key=KEY)


@pytest.mark.parametrize(
    "make", [lambda: b"\xff" * 32, looking_like_ours, lambda: new_token(1, key=b"x" * 32)]
)
def test_tokens_of_the_release_before_or_under_another_key_stay_good(
    tmp_path: Path, make: Callable[[], bytes]
) -> None:
    async def story(nodes: Nodes) -> None:
        session = await nodes.sign_in()
        old = await nodes.give_token(session, make())
        assert await nodes.is_in(nodes.there, old)
        assert not await nodes.is_in(nodes.there, session)

    run(tmp_path, story)


def test_part_of_a_token_lets_nobody_in(tmp_path: Path) -> None:
    """The number of the account says where to look, and no more."""

    async def story(nodes: Nodes) -> None:
        session = await nodes.sign_in()
        token = unb64(session.token)
        for stolen in (
            token[:8] + bytes(24),
            token[:16] + bytes(16),
            bytes(8) + token[8:],
            token[:31] + bytes([token[31] ^ 1]),
            new_token(1, key=KEY),
        ):
            assert not await nodes.is_in(nodes.there, NewSession(session.id, b64(stolen)))
        assert await nodes.is_in(nodes.there, session)

    run(tmp_path, story)


def test_a_renewed_token_names_the_account_and_replaces_the_other(tmp_path: Path) -> None:
    async def story(nodes: Nodes) -> None:
        session = await nodes.sign_in()
        account_id = account_in(unb64(session.token), key=KEY)
        assert account_id is not None
        renew = nodes.here.renew
        assert await nodes.database.write(lambda _: renew(_, account_id + 1, session.id)) is None
        fresh = await nodes.database.write(lambda _: renew(_, account_id, session.id))
        assert fresh is not None
        assert account_in(unb64(fresh.token), key=KEY) == account_id
        assert await nodes.is_in(nodes.here, fresh)
        assert not await nodes.is_in(nodes.here, session)

    run(tmp_path, story)


def test_a_session_ends_after_90_days_unused_and_the_sweep_removes_it(tmp_path: Path) -> None:
    async def story(nodes: Nodes) -> None:
        session = await nodes.sign_in()
        nodes.clock.move(90 * DAY_MS - 1)
        assert await nodes.is_in(nodes.there, session)
        assert await nodes.there.sweep() == 0
        nodes.clock.move(90 * DAY_MS)
        assert not await nodes.is_in(nodes.here, session)
        assert not await nodes.is_in(nodes.there, session)
        assert await nodes.here.sweep() == 1
        assert await nodes.here.sweep() == 0

    run(tmp_path, story)


def test_use_keeps_a_session_alive_and_is_noted_once_an_hour(tmp_path: Path) -> None:
    async def story(nodes: Nodes) -> None:
        session = await nodes.sign_in()
        nodes.clock.move(HOUR_MS)
        assert await nodes.last_seen_ms(session) == START_MS
        nodes.clock.move(HOUR_MS)
        assert await nodes.last_seen_ms(session) == START_MS + 2 * HOUR_MS
        for _ in range(5):
            nodes.clock.move(80 * DAY_MS)
            assert await nodes.is_in(nodes.here, session)
            assert await nodes.last_seen_ms(session) == nodes.clock.now_ms()

    run(tmp_path, story)


def test_a_clock_set_back_harms_no_session(tmp_path: Path) -> None:
    async def story(nodes: Nodes) -> None:
        session = await nodes.sign_in()
        nodes.clock.wall_ms -= 3650 * DAY_MS
        nodes.clock.running_s += 10
        assert await nodes.is_in(nodes.here, session)
        assert await nodes.last_seen_ms(session) == START_MS
        assert await nodes.here.sweep() == 0

    run(tmp_path, story)


def test_another_process_forgets_a_revoked_session_within_five_seconds(tmp_path: Path) -> None:
    async def story(nodes: Nodes) -> None:
        session = await nodes.sign_in()
        assert await nodes.is_in(nodes.there, session)
        await nodes.here.revoke(await nodes.here.actor(session.token), session.id)
        assert not await nodes.is_in(nodes.here, session)
        nodes.clock.move(int(FRESH_FOR_S * 1000) - 1)
        assert await nodes.is_in(nodes.there, session), "remembered, or the test proves nothing"
        nodes.clock.move(1)
        assert not await nodes.is_in(nodes.there, session)

    assert FRESH_FOR_S < 5
    run(tmp_path, story)


def test_a_look_up_that_races_with_a_revocation_is_not_remembered(tmp_path: Path) -> None:
    async def story(nodes: Nodes) -> None:
        session = await nodes.sign_in()
        actor = await nodes.here.actor(session.token)
        nodes.clock.move(10_000)
        looking = [asyncio.create_task(nodes.is_in(nodes.here, session)) for _ in range(20)]
        await nodes.here.revoke(actor, session.id)
        await asyncio.gather(*looking)
        assert not await nodes.is_in(nodes.here, session)

    run(tmp_path, story)
