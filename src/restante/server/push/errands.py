"""Carries out what the outbox asks to tell, each kind of task by a method of its own.

[Note: At most twice] A task is marked before it goes out and taken off when the answer is known. After a crash in between
nobody knows whether it arrived, so it goes out once more, under the same id; after a second crash it is given up.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.failpoints import failpoint
from restante.server.log import Log
from restante.server.outbox import queue
from restante.server.outbox.queue import Task
from restante.server.payments.dunning import PlanNotice
from restante.server.push import mail, queries, rules, webpush
from restante.server.push.addresses import ForbiddenTarget, look_up
from restante.server.push.mail import AddressRefused, Mailer, MailFailed
from restante.server.push.posting import Answer, Post, Undelivered
from restante.server.push.webpush import Vapid

PUSH_TTL_S = 24 * 3600
SETTLING_MS = 5_000
"""A message may be committed so long after the instant that it bears."""
AT_MOST_HANDED = 2
_GONE = {404, 410}
_REFUSED_FOR_GOOD = {400, 413}
_KEY_REFUSED = {401, 403}

After = Callable[[Connection], object]
"""What is written in the transaction that takes the task off."""


@dataclass(frozen=True, slots=True)
class Outward:
    """What speaks to the outside; ``mailer`` is None where this server writes no mail."""

    post: Post
    mailer: Mailer | None
    vapid: Vapid
    key: bytes
    server_name: str
    ticket_code: Callable[[str, int], str]
    """The code that proves an address at a sign-up, by address and end."""
    plan_notice: Callable[[Connection, str], PlanNotice | None]
    """What a task tells of a plan; None: it holds no longer."""


class Errands:
    """One method for each kind of task; each takes its task off, or puts it off."""

    def __init__(
        self, database: Database, clock: Clock, settings: Settings, *, outward: Outward, log: Log
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._out = outward
        self._log = log

    async def close(self) -> None:
        """Closes connections."""
        await self._out.post.close()

    async def tell(self, task: Task) -> None:
        """Makes one task for each way by which the account is told, or waits for the end of its quiet hours."""
        number, _, cause = task.subject.partition(":")
        await self._database.write(lambda connection: self._tell(connection, task, int(number), cause))

    def _tell(self, connection: Connection, task: Task, account_id: int, cause: str) -> None:
        now_ms = self._clock.now_ms()
        hours = queries.quiet(connection, account_id)
        if hours is not None:
            until = rules.quiet_until(now_ms, begins=hours.begins, ends=hours.ends, zone=hours.zone)
            if until is not None:
                queue.put_off(connection, task, due_ms=until, attempts=task.attempts)
                return
        for row in queries.subscriptions(connection, account_id):
            queue.enqueue(connection, "push", f"{row.id}:{task.id}:{cause}", due_ms=now_ms)
        address = queries.mail(connection, account_id)
        if address is not None and address.verified_at is not None:
            next_ms = (address.mailed_at or 0) + address.every_s * 1000
            due_ms = max(now_ms + rules.MAIL_GRACE_MS, next_ms)
            queue.enqueue_again(connection, "mail", str(account_id), due_ms=due_ms)
        queries.note_told(connection, account_id, cause, now_ms=now_ms)
        queue.done(connection, task)
        failpoint("tell-before-commit")

    async def push(self, task: Task) -> None:
        """Sends one encrypted hint to one browser, and forgets a browser that is gone."""
        subscription_id, _, rest = task.subject.partition(":")
        row = await self._database.read(lambda connection: queries.subscription(connection, subscription_id))
        if row is None:
            await self._done(task)
            return
        now_ms = self._clock.now_ms()
        if row.not_before_at is not None and row.not_before_at > now_ms:
            await self._put_off(task, row.not_before_at - now_ms)
            return
        if not await self._hand_over(task):
            return
        try:
            answer = await self._push(row, cause=rest.partition(":")[2])
        except ForbiddenTarget:
            self._log.event("push-refused-target", subscription=subscription_id)
            await self._done(
                task, lambda connection: queries.remove_subscription(connection, subscription_id)
            )
            return
        except Undelivered as error:
            await self._failed(task, str(error))
            return
        failpoint("push-sent")
        await self._answered(task, subscription_id, answer)

    async def _push(self, row: queries.AnyRow, *, cause: str) -> Answer:
        private = self._settings.private_targets == "allow"
        origin = (await look_up(row.endpoint, private=private)).origin
        headers = {
            "authorization": self._out.vapid.authorization(
                origin=origin, subject=self._subject(), now_s=self._clock.now_ms() // 1000
            ),
            "ttl": str(PUSH_TTL_S),
            "urgency": "high",
            "topic": "news",  # the same for all: the push service learns nothing by it
        }
        text = json.dumps({"cause": cause}).encode()
        sealed = webpush.seal(text, public=row.p256dh, auth=row.auth)
        encoded = {"content-encoding": "aes128gcm", "content-type": "application/octet-stream"}
        answer = await self._out.post.post(row.endpoint, sealed, headers | encoded)
        if answer.status == 413:  # an empty one wakes the browser too
            return await self._out.post.post(row.endpoint, b"", headers)
        return answer

    async def _answered(self, task: Task, subscription_id: str, answer: Answer) -> None:
        status = answer.status
        if 200 <= status < 300 or status in _REFUSED_FOR_GOOD:
            await self._done(task)
        elif status in _GONE or status in _KEY_REFUSED:
            await self._done(
                task, lambda connection: queries.remove_subscription(connection, subscription_id)
            )
        elif answer.retry_after_s:
            until_ms = self._clock.now_ms() + answer.retry_after_s * 1000
            await self._database.write(
                lambda connection: queries.hold(connection, subscription_id, until_ms=until_ms)
            )
            await self._failed(task, str(status), at_least_ms=answer.retry_after_s * 1000)
        else:
            await self._failed(task, str(status))
            return
        if status >= 300:
            self._log.event("push-answered", status=status)

    async def mail(self, task: Task) -> None:
        """Writes to the account's address when there is something that no device fetched yet."""
        account_id, now_ms = int(task.subject.rstrip(queue.AGAIN)), self._clock.now_ms()
        row = await self._database.read(lambda connection: queries.mail(connection, account_id))
        if row is None or row.verified_at is None or self._out.mailer is None:
            await self._done(task)
            return
        since = row.mailed_at or 0
        if since and since + row.every_s * 1000 > now_ms:
            await self._put_off(task, since + row.every_s * 1000 - now_ms)
            return
        count = await self._database.read(
            lambda connection: queries.news(connection, account_id, after_ms=since - SETTLING_MS)
        )
        if count == 0:
            await self._done(task)
            return
        token = rules.unsubscribe_token(self._out.key, account_id, row.address)
        home = self._settings.origins[0]
        await self._write(
            task,
            row.address,
            mail.NEWS[row.language],
            # As of when it was counted: what comes while the mail is on its way is told of in the next one.
            sent=lambda connection: queries.note_mailed(connection, account_id, now_ms=now_ms),
            refused=lambda connection: queries.set_mail(connection, account_id, None),
            stop=f"{home}/api/v1/mail/stop/{token}",
            count=count,
            home=f"{home}/",
        )

    async def mail_code(self, task: Task) -> None:
        """Sends the code that verifies an address."""
        account_id = int(task.subject.rstrip(queue.AGAIN))
        row = await self._database.read(lambda connection: queries.mail(connection, account_id))
        expires_at = None if row is None else row.code_expires_at
        if row is None or expires_at is None or expires_at <= self._clock.now_ms():
            await self._done(task)
            return
        code = rules.code_of(self._out.key, account_id, row.address, expires_at)
        await self._write(
            task,
            row.address,
            mail.CODE[row.language],
            refused=lambda connection: queries.set_mail(connection, account_id, None),
            code=code,
        )

    async def mail_opened(self, task: Task) -> None:
        """Writes once to somebody who waited, and forgets them and their address."""
        row_id = int(task.subject)
        row = await self._database.read(lambda connection: queries.opened_to(connection, row_id))
        if row is None or row.address is None:
            await self._done(task, lambda connection: queries.forget_waiting(connection, row_id))
            return
        await self._write(
            task,
            row.address,
            mail.OPENED[row.language],
            sent=lambda connection: queries.forget_waiting(connection, row_id),
            refused=lambda connection: queries.forget_waiting(connection, row_id),
            home=f"{self._settings.origins[0]}/",
        )

    async def mail_invite(self, task: Task) -> None:
        """Sends an invite to somebody who waited, and forgets them and their address."""
        number, _, code = task.subject.partition(":")
        row_id = int(number)
        row = await self._database.read(lambda connection: queries.opened_to(connection, row_id))
        if row is None or row.address is None:
            await self._done(task, lambda connection: queries.forget_waiting(connection, row_id))
            return
        await self._write(
            task,
            row.address,
            mail.INVITED[row.language],
            sent=lambda connection: queries.forget_waiting(connection, row_id),
            refused=lambda connection: queries.forget_waiting(connection, row_id),
            home=f"{self._settings.origins[0]}/sign-up#ticket={code}",
            code=code,
        )

    async def mail_ticket(self, task: Task) -> None:
        """Sends the code that proves an address at a sign-up."""
        until, language, address = task.subject.split(":", 2)
        if int(until) <= self._clock.now_ms():
            await self._done(task)
            return
        code = self._out.ticket_code(address, int(until))
        await self._write(task, address, mail.TICKET[language], code=code)

    async def mail_plan(self, task: Task) -> None:
        """Tells that a payment failed, that the grace ends soon, or that a plan ended."""

        def asked(connection: Connection) -> tuple[PlanNotice, queries.AnyRow] | None:
            notice = self._out.plan_notice(connection, task.subject)
            row = None if notice is None else queries.mail(connection, notice.account_id)
            return None if notice is None or row is None or row.verified_at is None else (notice, row)

        found = await self._database.read(asked)
        if found is None:
            await self._done(task)
            return
        notice, row = found
        home = self._settings.origins[0]
        token = rules.unsubscribe_token(self._out.key, notice.account_id, row.address)
        await self._write(
            task,
            row.address,
            mail.PLAN[notice.step][row.language],
            refused=lambda connection: queries.set_mail(connection, notice.account_id, None),
            stop=f"{home}/api/v1/mail/stop/{token}",
            plan=mail.in_language(notice.plan, row.language),
            day=mail.day(notice.until_at, row.language),
            page=f"{home}/plan",
        )

    async def _write(
        self,
        task: Task,
        address: str,
        text: tuple[str, str],
        *,
        sent: After = lambda _: None,
        refused: After = lambda _: None,
        stop: str | None = None,
        **words: object,
    ) -> None:
        if self._out.mailer is None:
            await self._done(task)
            return
        if not await self._hand_over(task):
            return
        try:
            await self._out.mailer.send(address, text, id_=f"{task.kind}-{task.id}", stop=stop, **words)
        except AddressRefused as error:
            self._log.event("mail-refused", kind=task.kind, error=str(error))
            await self._done(task, refused)
            return
        except MailFailed as error:
            await self._failed(task, str(error))
            return
        failpoint("mail-sent")
        await self._done(task, sent)

    async def webhook(self, task: Task) -> None:
        """Tells the operator's webhook, signed as by the Standard Webhooks: id, time of this try, and body."""
        what, at_ms, delivery_id = task.subject.split(":")
        if not self._settings.webhook_url:
            await self._done(task)
            return
        if not await self._hand_over(task):
            return
        at_s = self._clock.now_ms() // 1000
        body = json.dumps(
            {"id": delivery_id, "type": what, "at": int(at_ms), "server": self._out.server_name},
            separators=(",", ":"),
        ).encode()
        signature = rules.webhook_signature(
            self._settings.webhook_secret.encode(), delivery_id=delivery_id, at_s=at_s, body=body
        )
        headers = {
            "content-type": "application/json",
            "webhook-id": delivery_id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature,
        }
        try:
            answer = await self._out.post.post(self._settings.webhook_url, body, headers)
        except (ForbiddenTarget, Undelivered) as error:
            await self._failed(task, type(error).__name__)
            return
        failpoint("webhook-sent")
        if 200 <= answer.status < 300:
            await self._done(task)
        else:
            await self._failed(task, str(answer.status), at_least_ms=answer.retry_after_s * 1000)

    def _subject(self) -> str:
        """Whom a push service writes to when this server misbehaves."""
        contact = self._settings.abuse_contact
        if contact:
            return contact if contact.startswith("https:") else f"mailto:{contact}"
        secure = [origin for origin in self._settings.origins if origin.startswith("https:")]
        return secure[0] if secure else f"mailto:operator@{self._out.server_name}"

    async def _hand_over(self, task: Task) -> bool:
        """See [Note: At most twice]."""
        if task.handed >= AT_MOST_HANDED:
            self._log.event("task-unsure", kind=task.kind)
            await self._done(task)
            return False
        await self._database.write(lambda connection: queue.hand_over(connection, task))
        failpoint("task-handed-over")
        return True

    async def _done(self, task: Task, after: After = lambda _: None) -> None:
        def work(connection: Connection) -> None:
            after(connection)
            queue.done(connection, task)

        await self._database.write(work)

    async def _put_off(self, task: Task, milliseconds: int) -> None:
        due_ms = self._clock.now_ms() + max(1, milliseconds)
        await self._database.write(
            lambda connection: queue.put_off(connection, task, due_ms=due_ms, attempts=task.attempts)
        )

    async def _failed(self, task: Task, why: str, *, at_least_ms: int = 0) -> None:
        attempts = task.attempts + 1
        self._log.event("task-failed", kind=task.kind, attempts=attempts, error=why)
        if attempts >= rules.GIVE_UP_AFTER:
            await self._done(task)
            return
        due_ms = self._clock.now_ms() + max(at_least_ms, rules.wait_ms(task.attempts))
        await self._database.write(
            lambda connection: queue.put_off(connection, task, due_ms=due_ms, attempts=attempts)
        )
