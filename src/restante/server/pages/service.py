"""Answering pages: off until their owner switches them on; they let strangers in to leave one message each."""

import asyncio
import hashlib
from functools import partial

from sqlalchemy import Connection

from restante.protocol.encoding import b64
from restante.protocol.ids import new_secret
from restante.protocol.names import is_name
from restante.protocol.wire_pages import Call, Challenge, NewCall, OwnPage, Page, PutPage
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.limits.service import Limiter
from restante.server.links.service import GuestLinks
from restante.server.pages import queries, rules
from restante.server.pages.proofs import Proofs
from restante.server.pages.rules import Row
from restante.server.plans.service import Plans
from restante.server.sessions.actor import Actor, Caller


class Pages:
    """The room's one entrance for routes, uploads, messages and jobs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        links: GuestLinks,
        limiter: Limiter,
        plans: Plans,
        proof_key: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._links = links
        self._limiter = limiter
        self._plans = plans
        self._proofs = Proofs(proof_key, cost=settings.proof_cost)

    # Owners

    async def own(self, actor: Actor) -> OwnPage:
        """The account's page; off when it never made one."""
        return rules.own(await self._database.read(partial(queries.find, account_id=actor.account_id)))

    async def put(self, actor: Actor, page: PutPage) -> OwnPage:
        """Stores the account's page. Raises Refusal invalid, too-large, pages-unavailable, not-in-plan."""
        rules.check(page)
        if page.on and not self._settings.abuse_contact:
            raise Refusal("pages-unavailable")
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> Row | None:
            if page.on:
                self._plans.check_feature(connection, actor.account_id, "page", now_ms=now_ms)
            if page.greeting is not None:
                self._links.check_own(connection, actor.account_id, page.greeting)
            queries.put(connection, actor.account_id, rules.row_of(page), now_ms=now_ms)
            return queries.find(connection, actor.account_id)

        row = await self._database.write(work)
        failpoint("page-stored")
        return rules.own(row)

    # Callers

    async def page(self, name: str, bearer: str | None) -> Page:
        """What callers are told of a page. Raises Refusal no-such-page: off looks like never made."""
        row = await self._database.read(lambda connection: _page(connection, name))
        return rules.shown(row, bearer, now_ms=self._clock.now_ms())

    async def challenge(self, name: str, *, prefix: str) -> Challenge:
        """A proof of work for one call. Raises Refusal no-such-page, rate-limited."""

        def work(connection: Connection) -> None:
            self._limiter.take(connection, "challenges", prefix, self._settings.rate_opens)
            _page(connection, name)

        await self._database.write(work)
        return await asyncio.to_thread(self._proofs.make, name, now_ms=self._clock.now_ms())

    async def call(self, name: str, form: NewCall, *, prefix: str) -> Call:
        """Lets a stranger in for one message.

        Raises Refusal no-such-page, page-closed, page-needs-link, page-needs-account, proof-refused, rate-limited.
        """
        now_ms = self._clock.now_ms()
        nonce, expires_ms = self._proofs.take(form.proof, name, now_ms=now_ms)

        def work(connection: Connection) -> Call:
            row = _page(connection, name)
            rules.check_call(row, form.bearer, now_ms=now_ms)
            self._limiter.take(connection, "calls", prefix, self._settings.rate_calls)
            self._limiter.take(connection, "page", str(row.account_id), self._settings.rate_page)
            if not queries.spend(connection, nonce, expires_at=expires_ms):
                raise Refusal("proof-refused")
            return self._let_in(connection, row.account_id, name, now_ms=now_ms)

        call = await self._database.write(work)
        failpoint("call-let-in")
        return call

    async def call_by_link(self, link_id: str, view: str, *, prefix: str) -> Call:
        """Lets a guest in to answer: one message for each view. Raises Refusal may-not-answer, view-over, call-over."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> Call:
            self._limiter.take(connection, "calls", prefix, self._settings.rate_calls)
            row = self._links.check_view(connection, link_id, view)
            if not row.may_answer:
                raise Refusal("may-not-answer")
            seen = queries.call_of_view(connection, row.token_sha256)
            if seen is not None and seen.message_id is not None:
                raise Refusal("call-over")
            view_sha256 = bytes(row.token_sha256)
            if seen is None:
                return self._let_in(connection, row.account_id, row.owner, view=view_sha256, now_ms=now_ms)
            token = new_secret()
            queries.renew_call(connection, view_sha256, hashlib.sha256(token).digest())
            return Call(rules.CALL_PREFIX + b64(token), seen.expires_at, row.owner)

        return await self._database.write(work)

    async def caller(self, token: str) -> Caller | None:
        """Who makes an upload by a call's capability; None for other tokens. Raises Refusal call-over."""
        if not token.startswith(rules.CALL_PREFIX):
            return None
        row = await self._database.read(partial(self.check_call, token=token))
        if row.message_id is not None:
            raise Refusal("call-over")
        return Caller(row.account_id, bytes(row.token_sha256))

    def check_call(self, connection: Connection, token: str) -> Row:
        """The call of a capability within the caller's transaction. Raises Refusal call-over."""
        row = queries.call(connection, rules.token_digest(token))
        if row is None or row.expires_at <= self._clock.now_ms():
            raise Refusal("call-over")
        return row

    def note_left(self, connection: Connection, call: Row, message_id: str) -> None:
        """Notes the one message of a call within the caller's transaction."""
        queries.note_left(connection, call.token_sha256, message_id)

    async def sweep(self, now_ms: int) -> int:
        """Removes calls and proofs whose time is over; returns how many."""
        return await self._database.write(partial(queries.forget, now_ms=now_ms))

    def _let_in(
        self,
        connection: Connection,
        account_id: int,
        name: str,
        *,
        view: bytes | None = None,
        now_ms: int,
    ) -> Call:
        token, until = new_secret(), now_ms + rules.CALL_MS
        digest = hashlib.sha256(token).digest()
        queries.add_call(connection, digest, account_id, view=view, now_ms=now_ms, expires_at=until)
        return Call(rules.CALL_PREFIX + b64(token), until, name)


def _page(connection: Connection, name: str) -> Row:
    row = queries.by_name(connection, name) if is_name(name) else None
    if row is None:
        raise Refusal("no-such-page")
    return row
