"""Who may make an account: open to anyone, or by a ticket. See [Note: Tickets]."""

import hmac
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from restante.protocol.ids import Prefix, new_id
from restante.protocol.wire_availability import Admitted, AskCode, CodeSent, Identity, ShowCode
from restante.server.admission import queries, rules
from restante.server.admission.provider import Provider, Purpose, Visit
from restante.server.admission.rules import Shown
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.limits.service import Limiter
from restante.server.outbox import queue
from restante.server.sessions.actor import Actor


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of a visit: why there was one, the name of the account with this identity, if any, and a ticket that proves it."""

    purpose: Purpose
    name: str | None
    ticket: str


class Admission:
    """Makes and reads tickets; ``provider`` is None where the operator has no provider of identities."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        limiter: Limiter,
        provider: Provider | None,
        key: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._limiter = limiter
        self._provider = provider
        self._key = key

    def read(self, ticket: str | None, *, browser: str = "") -> Shown | None:
        """Reads the ticket of a sign-up, as far as the policy asks for one.

        Raises Refusal sign-up-closed, ticket-needed or ticket-refused. That an invite still lets in, ``admit`` checks.
        """
        policy = self._settings.sign_up
        if policy == "closed" or not ticket:
            rules.check_policy(policy, None)
            return None
        shown = rules.read(self._key, ticket, browser=browser, now_ms=self._clock.now_ms())
        rules.check_policy(policy, shown)
        return shown

    def admit(self, connection: Connection, account_id: int, shown: Shown | None) -> None:
        """Notes in the transaction of a sign-up by what it was let in. Raises Refusal ticket-refused or ticket-used."""
        if shown is None:
            return
        now_ms = self._clock.now_ms()
        subject = shown.subject
        if shown.kind == "invite":
            subject = _used(connection, bytes.fromhex(shown.subject), now_ms=now_ms)
        elif queries.whose(connection, shown.kind, subject) is not None:
            raise Refusal("ticket-used")
        queries.admit(connection, account_id, shown.kind, subject, now_ms=now_ms)
        failpoint("admission-written")

    async def take_invite(self, actor: Actor, ticket: str) -> None:
        """Lets an account take part in a beta; one that does already uses nothing up. Raises Refusal ticket-refused."""
        digest = rules.code_sha256(ticket)

        def work(connection: Connection) -> None:
            self._limiter.take(connection, "invites", str(actor.account_id), self._settings.rate_sign_in)
            if not is_invited(connection, actor.account_id):
                self.admit(connection, actor.account_id, Shown("invite", digest.hex()))

        await self._database.write(work)

    # By mail

    async def send_code(self, form: AskCode, *, prefix: str) -> CodeSent:
        """Sends a code to an address of the operator's domains. Raises Refusal mail-unavailable, wrong-domain or rate-limited."""
        if self._settings.sign_up != "domains" or not self._settings.smtp_url:
            raise Refusal("mail-unavailable")
        if not rules.is_of_domains(form.mail, self._settings.sign_up_domains):
            raise Refusal("wrong-domain", detail=", ".join(self._settings.sign_up_domains))
        expires_at = self._clock.now_ms() + rules.CODE_MS
        rate = self._settings.rate_mail_codes

        def work(connection: Connection) -> None:
            self._limiter.take(connection, "mail-codes-from", prefix, self._settings.rate_sign_up)
            self._limiter.take(connection, "mail-codes-to", form.mail.lower(), rate)
            subject = f"{expires_at}:{form.language}:{form.mail}"
            queue.enqueue(connection, "mail-ticket", subject, due_ms=self._clock.now_ms())

        await self._database.write(work)
        return CodeSent(expires_at)

    def code_of(self, address: str, expires_at: int) -> str:
        """What is sent to prove an address."""
        return rules.code_of(self._key, address, expires_at)

    async def ticket_for_code(self, form: ShowCode) -> Admitted:
        """Takes the code that was sent. Raises Refusal wrong-code or rate-limited."""
        now_ms = self._clock.now_ms()
        who, rate = form.mail.lower(), self._settings.rate_sign_in
        await self._database.write(
            lambda connection: self._limiter.take(connection, "ticket-codes", who, rate)
        )
        right = self.code_of(form.mail, form.expires_at)
        if form.expires_at <= now_ms or not hmac.compare_digest(form.code, right):
            raise Refusal("wrong-code")
        shown = Shown("mail", rules.subject_of(self._key, "mail", who))
        return Admitted(rules.write(self._key, shown, now_ms=now_ms))

    # By a provider of identities

    @property
    def provider_name(self) -> str:
        """How the provider is called, or empty without one."""
        if self._provider is None:
            return ""
        return self._settings.oidc_name or self._provider.host

    async def close(self) -> None:
        """Closes connections."""
        if self._provider is not None:
            await self._provider.close()

    async def visit(self, purpose: Purpose = "sign-up", *, prefix: str) -> Visit:
        """Begins a visit at the provider. Raises Refusal not-found, rate-limited or provider-failed."""
        if self._provider is None:
            raise Refusal("not-found")
        rate = self._settings.rate_passkeys
        await self._database.write(
            lambda connection: self._limiter.take(connection, "provider", prefix, rate)
        )
        return await self._provider.begin(purpose)

    async def come_back(self, *, browser: str, state: str, code: str) -> Returned:
        """Ends a visit. Raises Refusal provider-failed."""
        if self._provider is None:
            raise Refusal("not-found")
        purpose, issuer, subject = await self._provider.finish(browser=browser, state=state, code=code)
        shown = Shown("provider", rules.subject_of(self._key, "provider", issuer, subject))
        name = await self._database.read(
            lambda connection: queries.whose(connection, shown.kind, shown.subject)
        )
        ticket = rules.write(self._key, shown, now_ms=self._clock.now_ms(), browser=browser)
        return Returned(purpose, name, ticket)

    async def identity(self, actor: Actor) -> Identity:
        """Tells what identity at the provider the account is known by."""
        return await self._database.read(lambda connection: self._identity(connection, actor))

    async def link(self, actor: Actor, ticket: str, *, browser: str) -> Identity:
        """Links the account to the identity of a ticket. Raises Refusal ticket-refused, ticket-used or identity-linked."""
        now_ms = self._clock.now_ms()
        shown = rules.read(self._key, ticket, browser=browser, now_ms=now_ms)
        if shown.kind != "provider":
            raise Refusal("ticket-refused")

        def work(connection: Connection) -> Identity:
            found = queries.identity(connection, actor.account_id)
            if found is None and queries.whose(connection, shown.kind, shown.subject) is not None:
                raise Refusal("ticket-used")
            if found is None:
                queries.admit(connection, actor.account_id, "linked", shown.subject, now_ms=now_ms)
            elif found.subject != shown.subject:
                raise Refusal("identity-linked")
            return self._identity(connection, actor)

        return await self._database.write(work)

    async def unlink(self, actor: Actor) -> None:
        """Forgets the account's identity at the provider. Raises Refusal identity-needed."""

        def work(connection: Connection) -> None:
            if not self._identity(connection, actor).may_unlink:
                raise Refusal("identity-needed")
            queries.unlink(connection, actor.account_id)

        await self._database.write(work)

    def _identity(self, connection: Connection, actor: Actor) -> Identity:
        """[Note: One identity, one account] While the provider lets people in, what let somebody in stays: else it could do so again."""
        found = queries.identity(connection, actor.account_id)
        since = None if found is None else found.created_at
        stays = found is not None and found.kind == "provider" and self._settings.sign_up == "provider"
        return Identity(self.provider_name, since, may_unlink=not stays)


def is_invited(connection: Connection, account_id: int) -> bool:
    """Tells whether an account has shown an invite, ever."""
    return queries.is_admitted(connection, account_id, "invite")


def make_invite(
    connection: Connection, *, note: str, most_uses: int, expires_at: int | None, now_ms: int
) -> tuple[str, str]:
    """Makes an invite; returns its id and its code, which is told this once."""
    code, invite_id = rules.new_code(), new_id(Prefix.INVITE)
    queries.add_invite(
        connection,
        {
            "id": invite_id,
            "code_sha256": rules.code_sha256(code),
            "note": note,
            "most_uses": most_uses,
            "uses": 0,
            "created_at": now_ms,
            "expires_at": expires_at,
            "revoked_at": None,
        },
    )
    return invite_id, code


def show_invite(connection: Connection, account_id: int, code: str, *, now_ms: int) -> None:
    """Shows an invite for an account. Raises Refusal ticket-refused."""
    subject = _used(connection, rules.code_sha256(code), now_ms=now_ms)
    queries.admit(connection, account_id, "invite", subject, now_ms=now_ms)


def revoke_invite(connection: Connection, invite_id: str, *, now_ms: int) -> bool:
    """Takes an invite back; who was let in by it stays. Tells whether there was one."""
    return queries.revoke_invite(connection, invite_id, now_ms=now_ms)


def state_of(row: queries.AnyRow, *, now_ms: int) -> Literal["open", "used", "expired", "revoked"]:
    """Whether an invite still lets somebody in, and if not, why."""
    if row.revoked_at is not None:
        return "revoked"
    if row.uses >= row.most_uses:
        return "used"
    return "open" if row.expires_at is None or row.expires_at > now_ms else "expired"


def invites_made(connection: Connection) -> list[queries.AnyRow]:
    """All invites, the newest first."""
    return queries.invites_made(connection)


def _used(connection: Connection, digest: bytes, *, now_ms: int) -> str:
    """Uses an invite once more; returns which use of which invite it was."""
    found = queries.living_invite(connection, digest, now_ms=now_ms)
    if found is None:
        raise Refusal("ticket-refused")
    queries.use_invite(connection, found.id)
    return f"{found.id}:{found.uses + 1}"
