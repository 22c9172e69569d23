"""Passkeys: what is asked of authenticators, what they answered, what is kept. Sign-up and sign-in are `accounts`'."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection
from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from restante.protocol import wire_passkeys as wire
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import CEREMONY_FOR, PASSKEYS
from restante.protocol.names import RESERVED, is_name
from restante.protocol.wire import WayIn
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.limits.service import Limiter
from restante.server.passkeys import queries, rules
from restante.server.passkeys.origins import Origin
from restante.server.passkeys.queries import AnyRow, Kind
from restante.server.passkeys.shapes import Ceremony, NewPasskey, PasskeyRefused, Shown
from restante.server.sessions.actor import Actor

CEREMONY_MS = CEREMONY_FOR // timedelta(milliseconds=1)


class Passkeys:
    """Begins ceremonies and ends each of them once."""

    def __init__(
        self, database: Database, clock: Clock, settings: Settings, *, limiter: Limiter, server_name: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._limiter = limiter
        self._server_name = server_name

    async def begin_sign_up(self, name: str, origin: Origin, *, prefix: str) -> wire.Ceremony:
        """Asks for the passkey of an account to be made.

        Raises Refusal sign-up-closed, invalid-name, name-taken: whoever makes a passkey in vain has one too many ever after.
        """
        if self._settings.sign_up == "closed":
            raise Refusal("sign-up-closed")
        if not is_name(name) or name in RESERVED:
            raise Refusal("invalid-name")
        await self._count(prefix)
        if await self._database.read(lambda connection: queries.is_taken(connection, name)):
            raise Refusal("name-taken")
        ceremony = Ceremony(_challenge(), origin, _user_handle(), name=name)
        return await self._begin("registration", ceremony, self._creation_options(ceremony, name, []))

    async def begin_registration(self, actor: Actor, origin: Origin, *, prefix: str) -> wire.Ceremony:
        """Asks for one more passkey of an account: not one that it has already, and under the same handle."""
        await self._count(prefix)
        rows = await self._database.read(lambda connection: queries.of_account(connection, actor.account_id))
        handle = rows[0].user_handle if rows else _user_handle()
        ceremony = Ceremony(_challenge(), origin, handle, account_id=actor.account_id)
        here = [row for row in rows if row.rp_id == origin.rp_id]
        return await self._begin("registration", ceremony, self._creation_options(ceremony, actor.name, here))

    async def begin_assertion(self, origin: Origin, *, prefix: str) -> wire.Ceremony:
        """Asks for any passkey of this place, by which its person is known."""
        await self._count(prefix)
        ceremony = Ceremony(_challenge(), origin)
        options = generate_authentication_options(
            rp_id=origin.rp_id,
            challenge=ceremony.challenge,
            timeout=CEREMONY_MS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return await self._begin("assertion", ceremony, options_to_json_dict(options))

    async def finish_sign_up(self, ceremony_id: str, credential: wire.NewCredential, name: str) -> NewPasskey:
        """Checks the passkey of an account to be made. Raises PasskeyRefused."""
        ceremony = await self._take(ceremony_id, "registration")
        if ceremony.name != name:
            raise PasskeyRefused("owner")
        return rules.new_passkey(credential, ceremony)

    async def finish_registration(
        self, ceremony_id: str, credential: wire.NewCredential, actor: Actor
    ) -> NewPasskey:
        """Checks one more passkey of an account. Raises PasskeyRefused."""
        ceremony = await self._take(ceremony_id, "registration")
        if ceremony.account_id != actor.account_id:
            raise PasskeyRefused("owner")
        return rules.new_passkey(credential, ceremony)

    async def finish_assertion(self, ceremony_id: str, assertion: wire.Assertion) -> Shown:
        """Checks a passkey that was shown. It counts only once ``note_use`` has stored it. Raises PasskeyRefused."""
        ceremony = await self._take(ceremony_id, "assertion")
        credential_id = rules.unb64_or_refuse(assertion.id)
        found = await self._database.read(lambda connection: queries.by_credential(connection, credential_id))
        if found is None:
            raise PasskeyRefused("unknown")
        name, passkey = found
        return Shown(name, passkey, rules.check_assertion(assertion, ceremony, passkey))

    async def sweep(self) -> int:
        """Removes ceremonies that nobody ended in time; returns how many."""
        now_ms = self._clock.now_ms()
        return await self._database.write(
            lambda connection: queries.forget_ceremonies(connection, now_ms=now_ms)
        )

    async def _count(self, prefix: str) -> None:
        rate = self._settings.rate_passkeys
        await self._database.write(
            lambda connection: self._limiter.take(connection, "passkeys", prefix, rate)
        )

    async def _begin(self, kind: Kind, ceremony: Ceremony, options: dict[str, object]) -> wire.Ceremony:
        ceremony_id, expires_at = new_id(Prefix.CEREMONY), self._clock.now_ms() + CEREMONY_MS
        await self._database.write(
            lambda connection: queries.add_ceremony(
                connection, ceremony_id, kind, ceremony, expires_at=expires_at
            )
        )
        return wire.Ceremony(ceremony=ceremony_id, options=options)

    async def _take(self, ceremony_id: str, kind: Kind) -> Ceremony:
        """[Note: Once] A challenge is used up, durably, before the answer is looked at: a wrong answer ends it too."""
        now_ms = self._clock.now_ms()
        ceremony = await self._database.write(
            lambda connection: queries.take_ceremony(connection, ceremony_id, kind, now_ms=now_ms)
        )
        failpoint("ceremony-taken")
        if ceremony is None:
            raise PasskeyRefused("challenge")
        return ceremony

    def _creation_options(self, ceremony: Ceremony, name: str, had: Sequence[AnyRow]) -> dict[str, object]:
        options = generate_registration_options(
            rp_id=ceremony.origin.rp_id,
            rp_name=self._server_name,
            user_name=name,
            user_display_name=f"{name}@{self._server_name}",
            user_id=ceremony.user_handle,
            challenge=ceremony.challenge,
            timeout=CEREMONY_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[_descriptor(row) for row in had],
            supported_pub_key_algs=rules.ALGORITHMS,
        )
        return options_to_json_dict(options)


def store(
    connection: Connection, account_id: int, new: NewPasskey, *, mid: str, label: str, now_ms: int
) -> None:
    """Adds a checked passkey within the caller's transaction. Raises PasskeyRefused for one that somebody has."""
    if queries.by_credential(connection, new.credential_id) is not None:
        raise PasskeyRefused("twice")
    held = queries.of_account(connection, account_id)
    if len(held) >= PASSKEYS:
        raise Refusal("invalid", detail=f"at most {PASSKEYS} passkeys", limit=PASSKEYS)
    if any(row.mid == mid for row in held):
        raise Refusal("invalid", detail="mid: another passkey has it")
    queries.add(connection, account_id, new, mid=mid, label=label, now_ms=now_ms)
    failpoint("passkey-written")


def note_use(connection: Connection, shown: Shown, *, now_ms: int) -> None:
    """Takes a shown passkey, within the caller's transaction. Raises PasskeyRefused when it was removed or used meanwhile."""
    if not queries.note_use(connection, shown.passkey, sign_count=shown.sign_count, now_ms=now_ms):
        raise PasskeyRefused("counter")


def held_by(connection: Connection, account_id: int) -> list[WayIn]:
    """The account's passkeys, oldest first."""
    return [
        WayIn(
            id=row.mid,
            type="passkey",
            label=row.label,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
        )
        for row in queries.of_account(connection, account_id)
    ]


def has(connection: Connection, account_id: int, *, mid: str, credential: wire.NewCredential) -> bool:
    """Tells whether this very passkey is stored. Raises PasskeyRefused."""
    credential_id = rules.unb64_or_refuse(credential.id)
    return any(
        row.mid == mid and row.credential_id == credential_id
        for row in queries.of_account(connection, account_id)
    )


def remove(connection: Connection, account_id: int, mid: str) -> bool:
    """Removes a passkey within the caller's transaction; tells whether there was one."""
    is_removed = queries.remove(connection, account_id, mid)
    failpoint("passkey-removed")
    return is_removed


def is_taken(connection: Connection, name: str) -> bool:
    """Tells whether somebody has a name, or had it."""
    return queries.is_taken(connection, name)


def _challenge() -> bytes:
    return secrets.token_bytes(rules.CHALLENGE_BYTES)


def _user_handle() -> bytes:
    return secrets.token_bytes(rules.USER_HANDLE_BYTES)


def _descriptor(row: AnyRow) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(name) for name in row.transports.split(",") if name]
    return PublicKeyCredentialDescriptor(id=row.credential_id, transports=transports or None)
