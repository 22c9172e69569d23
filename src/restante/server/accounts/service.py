"""Sign-up and sign-in. The server learns names and the hashes of bearers, nothing that opens a keyring."""

from dataclasses import dataclass

from sqlalchemy import Connection

from restante.protocol import wire
from restante.protocol.encoding import b64
from restante.server.accounts import queries, rules
from restante.server.accounts.rules import NewAccount
from restante.server.admission.service import Admission
from restante.server.availability.service import Availability
from restante.server.availability.sighting import NOWHERE, Sighting
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.keys.service import store_first
from restante.server.limits.service import Limiter
from restante.server.passkeys import service as passkeys_room
from restante.server.passkeys.service import Passkeys, is_taken
from restante.server.passkeys.shapes import NewPasskey, Shown
from restante.server.push import telling
from restante.server.sessions.service import NewSession, Sessions


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody came in."""

    acct: str
    session: NewSession
    client: wire.ClientKind


class Accounts:
    """Makes accounts and lets their people in."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        sessions: Sessions,
        passkeys: Passkeys,
        limiter: Limiter,
        admission: Admission,
        availability: Availability,
        server_name: str,
        salt_key: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._sessions = sessions
        self._passkeys = passkeys
        self._limiter = limiter
        self._admission = admission
        self._availability = availability
        self._server_name = server_name
        self._salt_key = salt_key

    async def sign_up(
        self, form: wire.SignUp, *, prefix: str, seen: Sighting = NOWHERE, browser: str = ""
    ) -> Entry:
        """Makes an account with record, keyring, ways in and first session, all or nothing.

        ``prefix`` is the network that asks, ``seen`` what else its request shows, ``browser`` the cookie of a visit at the
        provider of identities. Raises Refusal sign-up-closed, ticket-needed, ticket-refused, ticket-used, not-available-yet,
        rate-limited, name-taken, passkey-refused and what ``rules.new_account`` raises.
        """
        shown = self._admission.read(form.ticket, browser=browser)
        is_invited = shown is not None and shown.kind == "invite"
        self._availability.check_sign_up(form.name, seen, form.country, is_invited=is_invited)
        new = rules.new_account(form, server_name=self._server_name, now_ms=self._clock.now_ms())
        await self._database.write(
            lambda connection: self._limiter.take(connection, "sign-up", prefix, self._settings.rate_sign_up)
        )
        passkey = await self._checked_passkey(new)

        def add(connection: Connection) -> NewSession:
            session, account_id = self._add(connection, new, passkey)
            self._admission.admit(connection, account_id, shown)
            self._availability.note_sign_up(connection, account_id, seen, form.country)
            return session

        session = await self._database.write(add)
        failpoint("account-acknowledged")
        return Entry(self._acct(new.name), session, new.client)

    async def sign_in(self, form: wire.SignIn, *, prefix: str) -> Entry:
        """Makes a session for whoever has the bearer of one of the name's ways in.

        The attempt is counted, durably, before it is made; the work and the answer are the same whether the name,
        the type or the bearer is wrong. Raises Refusal rate-limited, sign-in-refused or invalid.
        """
        digest = rules.bearer_sha256(form.bearer)
        await self._database.write(lambda connection: self._count_attempt(connection, form.name, prefix))
        row = await self._database.read(
            lambda connection: queries.unlock_method(connection, form.name, form.type)
        )
        is_right = rules.is_bearer(digest, row.bearer_sha256 if row else None)
        if row is None or not is_right:
            raise Refusal("sign-in-refused")
        session = await self._database.write(
            lambda connection: self._enter(connection, row.id, form.type, form.client)
        )
        failpoint("sign-in-acknowledged")
        return Entry(self._acct(form.name), session, form.client)

    async def sign_in_by_passkey(self, form: wire.SignInByPasskey, *, prefix: str) -> Entry:
        """Makes a session for whoever shows a passkey of this server; it says whose it is.

        Raises Refusal rate-limited or passkey-refused.
        """
        rate = self._settings.rate_sign_in
        await self._database.write(
            lambda connection: self._limiter.take(connection, "sign-in-network", prefix, rate)
        )
        shown = await self._passkeys.finish_assertion(form.ceremony, form.credential)
        session = await self._database.write(
            lambda connection: self._enter_by_passkey(connection, shown, form.client)
        )
        failpoint("sign-in-acknowledged")
        return Entry(self._acct(shown.name), session, form.client)

    async def salt(self, name: str) -> wire.Salt:
        """Returns the salt of a name's passphrase, or what cannot be told from one."""
        fake = rules.fake_salt(self._salt_key, name)
        row = await self._database.read(
            lambda connection: queries.unlock_method(connection, name, "passphrase")
        )
        return wire.Salt(salt=b64(row.salt if row else fake))

    async def _checked_passkey(self, new: NewAccount) -> NewPasskey | None:
        form = new.passkey
        if form is None:
            return None
        return await self._passkeys.finish_sign_up(form.ceremony, form.credential, new.name)

    def _add(
        self, connection: Connection, new: NewAccount, passkey: NewPasskey | None
    ) -> tuple[NewSession, int]:
        if is_taken(connection, new.name):
            raise Refusal("name-taken")
        now_ms = self._clock.now_ms()
        account_id = queries.add_account(connection, new.name, now_ms=now_ms)
        failpoint("account-written")
        store_first(connection, account_id, record=new.record, keyring=new.keyring, now_ms=now_ms)
        queries.add_unlock_methods(connection, account_id, new.unlock, now_ms=now_ms)
        if new.passkey is not None and passkey is not None:
            form = new.passkey
            passkeys_room.store(
                connection, account_id, passkey, mid=form.mid, label=form.label, now_ms=now_ms
            )
        telling.announce(connection, "account.created", now_ms=now_ms)
        failpoint("unlock-methods-written")
        return self._sessions.create(connection, account_id, new.client, verified_at=now_ms), account_id

    def _enter(
        self, connection: Connection, account_id: int, way: wire.UnlockType, client: wire.ClientKind
    ) -> NewSession:
        now_ms = self._clock.now_ms()
        queries.note_use(connection, account_id, way, now_ms=now_ms)
        return self._sessions.create(connection, account_id, client, verified_at=now_ms)

    def _enter_by_passkey(self, connection: Connection, shown: Shown, client: wire.ClientKind) -> NewSession:
        now_ms = self._clock.now_ms()
        passkeys_room.note_use(connection, shown, now_ms=now_ms)
        return self._sessions.create(connection, shown.passkey.account_id, client, verified_at=now_ms)

    def _count_attempt(self, connection: Connection, name: str, prefix: str) -> None:
        rate = self._settings.rate_sign_in
        self._limiter.take(connection, "sign-in-name", name, rate)
        self._limiter.take(connection, "sign-in-network", prefix, rate)

    def _acct(self, name: str) -> str:
        return f"{name}@{self._server_name}"
