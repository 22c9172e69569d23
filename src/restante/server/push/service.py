"""By what an account is told of news: browsers, mail, and when not."""

import hmac
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import Connection

from restante.protocol.encoding import unb64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.wire_push import (
    Mail,
    Notices,
    PutMail,
    PutSubscription,
    Quiet,
    Subscription,
)
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.limits.service import Limiter
from restante.server.outbox import queue
from restante.server.push import queries, rules, webpush
from restante.server.push.addresses import ForbiddenTarget, look_up
from restante.server.push.webpush import Vapid
from restante.server.sessions.actor import Actor

CODE_MS = rules.CODE_FOR // timedelta(milliseconds=1)


class Push:
    """What an account may choose; ``key`` makes codes and tokens, ``vapid`` is the server's key for push services."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        limiter: Limiter,
        vapid: Vapid,
        key: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._limiter = limiter
        self._vapid = vapid
        self._key = key

    async def list(self, actor: Actor) -> Notices:
        """Tells how the account is told."""

        def work(connection: Connection) -> Notices:
            quiet = queries.quiet(connection, actor.account_id)
            mail = queries.mail(connection, actor.account_id)
            return Notices(
                push_key=self._vapid.public,
                subscriptions=[
                    _subscription(row, actor) for row in queries.subscriptions(connection, actor.account_id)
                ],
                quiet=None if quiet is None else Quiet(quiet.begins, quiet.ends, quiet.zone),
                mail=None if mail is None else _mail(mail),
                mail_possible=bool(self._settings.smtp_url),
            )

        return await self._database.read(work)

    async def subscribe(self, actor: Actor, form: PutSubscription) -> Subscription:
        """Has a browser told; the same endpoint again renews it. Raises Refusal endpoint-refused or invalid."""
        public, auth = _keys(form)
        try:
            await look_up(form.endpoint, private=self._settings.private_targets == "allow")
        except ForbiddenTarget as error:
            raise Refusal("endpoint-refused", detail=str(error)) from error
        now_ms = self._clock.now_ms()
        row = {
            "id": new_id(Prefix.PUSH),
            "account_id": actor.account_id,
            "session_id": actor.session_id,
            "endpoint": form.endpoint,
            "p256dh": public,
            "auth": auth,
            "created_at": now_ms,
            "renewed_at": now_ms,
        }

        def work(connection: Connection) -> Subscription:
            kept_id = queries.put_subscription(connection, row)
            kept = queries.subscriptions(connection, actor.account_id)
            for surplus in kept[rules.SUBSCRIPTIONS :]:
                queries.remove_subscription(connection, surplus.id)
            return next(_subscription(each, actor) for each in kept if each.id == kept_id)

        found = await self._database.write(work)
        failpoint("push-subscription-stored")
        return found

    async def unsubscribe(self, actor: Actor, subscription_id: str) -> None:
        """Has a browser told no more. Raises Refusal not-found."""

        def work(connection: Connection) -> bool:
            return queries.remove_own(connection, actor.account_id, subscription_id)

        if not await self._database.write(work):
            raise Refusal("not-found")

    async def set_quiet(self, actor: Actor, quiet: Quiet | None) -> None:
        """Sets the hours in which nobody is disturbed, or ends them. Raises Refusal invalid."""
        if quiet is not None and (not rules.is_zone(quiet.zone) or quiet.begins == quiet.ends):
            raise Refusal("invalid", detail="quiet: an unknown time zone, or hours that end where they begin")
        hours = None if quiet is None else {"begins": quiet.begins, "ends": quiet.ends, "zone": quiet.zone}
        await self._database.write(lambda connection: queries.set_quiet(connection, actor.account_id, hours))

    async def set_mail(self, actor: Actor, form: PutMail | None) -> None:
        """Sends a code to an address, or ends mail; the address that is verified already keeps being so.

        Raises Refusal mail-unavailable or rate-limited.
        """
        if form is not None and not self._settings.smtp_url:
            raise Refusal("mail-unavailable")
        await self._database.write(lambda connection: self._set_mail(connection, actor, form))

    def _set_mail(self, connection: Connection, actor: Actor, form: PutMail | None) -> None:
        account_id, now_ms = actor.account_id, self._clock.now_ms()
        if form is None:
            queries.set_mail(connection, account_id, None)
            return
        before = queries.mail(connection, account_id)
        is_verified = before is not None and before.address == form.address and before.verified_at is not None
        row = {
            "address": form.address,
            "every_s": form.every_s,
            "language": form.language,
            "code_expires_at": None if is_verified else now_ms + CODE_MS,
            "verified_at": before.verified_at if before is not None and is_verified else None,
            "mailed_at": before.mailed_at if before is not None and is_verified else None,
            "created_at": now_ms,
        }
        if not is_verified:
            self._limiter.take(connection, "mail-codes", str(account_id), self._settings.rate_mail_codes)
            self._limiter.take(
                connection, "mail-codes-to", form.address.lower(), self._settings.rate_mail_codes
            )
            queue.enqueue_again(connection, "mail-code", str(account_id), due_ms=now_ms)
        queries.set_mail(connection, account_id, row)

    async def verify_mail(self, actor: Actor, code: str) -> Mail:
        """Takes the code that was sent. Raises Refusal wrong-code or rate-limited."""
        rate, who = self._settings.rate_sign_in, str(actor.account_id)
        await self._database.write(
            lambda connection: self._limiter.take(connection, "mail-verification", who, rate)
        )

        def work(connection: Connection) -> Mail:
            now_ms = self._clock.now_ms()
            row = queries.mail(connection, actor.account_id)
            if row is None or row.code_expires_at is None or row.code_expires_at <= now_ms:
                raise Refusal("wrong-code")
            if not hmac.compare_digest(
                code, rules.code_of(self._key, actor.account_id, row.address, row.code_expires_at)
            ):
                raise Refusal("wrong-code")
            queries.verify_mail(connection, actor.account_id, now_ms=now_ms)
            return Mail(row.address, row.every_s, row.language, verified=True)

        return await self._database.write(work)

    async def stop_mail(self, token: str) -> None:
        """Ends mail by the link in one of them; what is no such link, or an old one, changes nothing."""
        number = token.partition(".")[0]
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            return
        account_id = int(number)

        def work(connection: Connection) -> None:
            row = queries.mail(connection, account_id)
            if row is not None and _is_token(
                token, rules.unsubscribe_token(self._key, account_id, row.address)
            ):
                queries.set_mail(connection, account_id, None)

        await self._database.write(work)


def _keys(form: PutSubscription) -> tuple[bytes, bytes]:
    try:
        public = unb64(form.p256dh, size=webpush.PUBLIC_BYTES)
        auth = unb64(form.auth, size=webpush.AUTH_BYTES)
    except ValueError as error:
        raise Refusal("invalid", detail="p256dh, auth: 65 and 16 bytes, base64url") from error
    if not webpush.is_public_key(public):
        raise Refusal("invalid", detail="p256dh: not a point of the curve")
    return public, auth


def _subscription(row: queries.AnyRow, actor: Actor) -> Subscription:
    return Subscription(
        id=row.id,
        host=urlsplit(row.endpoint).hostname or "",
        created_at=row.created_at,
        renewed_at=row.renewed_at,
        here=row.session_id == actor.session_id,
    )


def _mail(row: queries.AnyRow) -> Mail:
    return Mail(row.address, row.every_s, row.language, verified=row.verified_at is not None)


def _is_token(text: str, right: str) -> bool:
    return hmac.compare_digest(text.encode(), right.encode())
