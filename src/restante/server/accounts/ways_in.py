"""Ways in of an account: listed, added, replaced, removed, and asked for anew. See [Note: Fresh verification].

Each change stores the keyring with the way in, in one transaction: a way in that opens nothing, or a recipient in the keyring
that nobody can sign in for, would be found only when it is needed.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from restante.protocol import wire
from restante.server.accounts import queries, rules
from restante.server.accounts.rules import UnlockMethod
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.keys.preconditions import Precondition
from restante.server.keys.service import Keys, store_next
from restante.server.limits.service import Limiter
from restante.server.passkeys import service as passkeys_room
from restante.server.passkeys.service import Passkeys
from restante.server.passkeys.shapes import PasskeyRefused, Shown
from restante.server.sessions.actor import Actor
from restante.server.sessions.service import Sessions


class WaysIn:
    """Every change needs a fresh verification and leaves the recovery code and one more way in."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        sessions: Sessions,
        keys: Keys,
        passkeys: Passkeys,
        limiter: Limiter,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._sessions = sessions
        self._keys = keys
        self._passkeys = passkeys
        self._limiter = limiter

    async def list(self, actor: Actor) -> wire.WaysIn:
        """Lists passkeys, oldest first, then passphrase and recovery code."""
        return wire.WaysIn(items=await self._database.read(lambda connection: _all(connection, actor)))

    async def put(
        self, actor: Actor, type_: wire.UnlockType, form: wire.PutWayIn, precondition: Precondition
    ) -> str:
        """Adds or replaces the passphrase or recovery code: the old one ends at once. Returns the keyring's version.

        Raises Refusal verification-needed, stale-version, too-large or invalid.
        """
        method = rules.unlock_method(type_, form.bearer, form.salt)
        return await self._change(
            actor, form.keyring, precondition, lambda connection: self._replace(connection, actor, method)
        )

    async def add_passkey(self, actor: Actor, form: wire.AddPasskey, precondition: Precondition) -> str:
        """Adds a passkey; the same one again with the same keyring changes nothing. Returns the keyring's version.

        Raises Refusal verification-needed, passkey-refused, stale-version, too-large or invalid.
        """
        version = await self._repeated(actor, form.keyring)
        is_added = await self._database.read(lambda connection: _is_added(connection, actor, form))
        if version is not None and is_added:
            return version
        await self._database.read(lambda connection: self._sessions.check_verified(connection, actor))
        # Before the challenge is used up: whoever merges with what another device stored shows the same passkey again.
        if not precondition.holds((await self._keys.keyring(actor)).version):
            raise Refusal("stale-version")
        new = await self._passkeys.finish_registration(form.ceremony, form.credential, actor)

        def add(connection: Connection) -> None:
            passkeys_room.store(
                connection,
                actor.account_id,
                new,
                mid=form.mid,
                label=form.label,
                now_ms=self._clock.now_ms(),
            )

        return await self._change(actor, form.keyring, precondition, add)

    async def remove(
        self, actor: Actor, way_id: str, form: wire.RemoveWayIn, precondition: Precondition
    ) -> str:
        """Removes a passkey or the passphrase. Returns the keyring's version.

        Raises Refusal verification-needed, not-found, last-way-in, stale-version, too-large or invalid.
        """
        is_repeated = await self._repeated(actor, form.keyring) is not None

        def work(connection: Connection) -> None:
            ways = [way.id for way in _all(connection, actor)]
            if way_id not in ways and is_repeated:
                return
            if way_id == "recovery" or ways == [way_id, "recovery"]:
                raise Refusal("last-way-in")
            if not _remove(connection, actor, way_id):
                raise Refusal("not-found")

        return await self._change(actor, form.keyring, precondition, work)

    async def verify(self, actor: Actor, form: wire.Verification) -> wire.Verified:
        """Renews the session's verification. Raises Refusal rate-limited, sign-in-refused, passkey-refused or invalid."""
        rate = self._settings.rate_sign_in
        who = str(actor.account_id)
        await self._database.write(
            lambda connection: self._limiter.take(connection, "verification", who, rate)
        )
        if form.type == "passkey":
            note = await self._by_passkey(actor, form)
        else:
            note = await self._by_bearer(actor, form.type, form.bearer)

        def work(connection: Connection) -> int:
            note(connection)
            return self._sessions.note_verified(connection, actor)

        until = await self._database.write(work)
        failpoint("verification-acknowledged")
        return wire.Verified(until=until)

    async def _by_passkey(self, actor: Actor, form: wire.Verification) -> Callable[[Connection], None]:
        if form.ceremony is None or form.credential is None:
            raise Refusal("invalid", detail="a passkey needs ceremony and credential")
        shown: Shown = await self._passkeys.finish_assertion(form.ceremony, form.credential)
        if shown.passkey.account_id != actor.account_id:
            raise PasskeyRefused("owner")
        return lambda connection: passkeys_room.note_use(connection, shown, now_ms=self._clock.now_ms())

    async def _by_bearer(
        self, actor: Actor, type_: wire.UnlockType, bearer: str | None
    ) -> Callable[[Connection], None]:
        if bearer is None:
            raise Refusal("invalid", detail="the bearer is missing")
        digest = rules.bearer_sha256(bearer)
        row = await self._database.read(
            lambda connection: queries.unlock_method(connection, actor.name, type_)
        )
        if not rules.is_bearer(digest, row.bearer_sha256 if row else None):
            raise Refusal("sign-in-refused")
        return lambda connection: queries.note_use(
            connection, actor.account_id, type_, now_ms=self._clock.now_ms()
        )

    async def _repeated(self, actor: Actor, keyring: str) -> str | None:
        """The version of the keyring when it is stored already: of a change whose answer was lost."""
        stored = await self._keys.keyring(actor)
        return stored.version if stored.data == rules.keyring_of(keyring) else None

    async def _change(
        self,
        actor: Actor,
        keyring_text: str,
        precondition: Precondition,
        change: Callable[[Connection], None],
    ) -> str:
        keyring = rules.keyring_of(keyring_text)

        def work(connection: Connection) -> str:
            self._sessions.check_verified(connection, actor)
            change(connection)
            return store_next(
                connection,
                actor.account_id,
                keyring=keyring,
                precondition=precondition,
                now_ms=self._clock.now_ms(),
            )

        version = await self._database.write(work)
        failpoint("way-in-acknowledged")
        return version

    def _replace(self, connection: Connection, actor: Actor, method: UnlockMethod) -> None:
        stored = queries.held(connection, actor.account_id)
        if any((row.type, row.bearer_sha256) == (method.type, method.bearer_sha256) for row in stored):
            return
        queries.remove(connection, actor.account_id, method.type)
        queries.add_unlock_methods(connection, actor.account_id, [method], now_ms=self._clock.now_ms())
        failpoint("way-in-written")


def _all(connection: Connection, actor: Actor) -> list[wire.WayIn]:
    by_bearer = [
        wire.WayIn(
            id=row.type,
            type=row.type,
            label="",
            created_at=row.created_at,
            last_used_at=row.last_used_at,
        )
        for row in queries.held(connection, actor.account_id)
    ]
    return [*passkeys_room.held_by(connection, actor.account_id), *by_bearer]


def _remove(connection: Connection, actor: Actor, way_id: str) -> bool:
    if way_id == "passphrase":
        return queries.remove(connection, actor.account_id, way_id)
    return passkeys_room.remove(connection, actor.account_id, way_id)


def _is_added(connection: Connection, actor: Actor, form: wire.AddPasskey) -> bool:
    return passkeys_room.has(connection, actor.account_id, mid=form.mid, credential=form.credential)
