"""Who is told, and how often, that a payment failed, that the grace ends, that a plan ended."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from restante.server.db.tables import mail_addresses
from restante.server.payments import rules
from restante.server.plans.terms import DAY_MS, Subscription
from restante.server.push import mail
from tests.api.inside import Inside, opened
from tests.api.outside import MailSink, mail_sink
from tests.api.planned import declare, standing
from tests.api.stripe_fake import FakeStripe
from tests.api.test_desk import account_id
from tests.api.test_payments import DAY_S, ORIGINS, STRIPE, begin, deliver_all, new_fake
from tests.api.told import Head, at_rest

NOW = 1_900_000_000_000
GRACE_MS = 7 * DAY_MS


def sub(**changes: Any) -> Subscription:
    month = {"begins_at": NOW, "ends_at": NOW + 30 * DAY_MS, "renews": True}
    return Subscription(plan="premium", **{**month, **changes})


def test_each_step_begins_at_its_millisecond() -> None:
    late = sub(unpaid_since_at=NOW)
    ends = NOW + GRACE_MS
    edges = [
        (NOW, "late"),
        (ends - rules.SOON_MS - 1, "late"),
        (ends - rules.SOON_MS, "soon"),
        (ends - 1, "soon"),
        (ends, "ended"),
    ]
    for at_ms, step in edges:
        assert rules.step_of(late, grace_ms=GRACE_MS, now_ms=at_ms) == step
    assert rules.step_of(late, grace_ms=0, now_ms=NOW) == "ended"
    assert rules.step_of(sub(), grace_ms=GRACE_MS, now_ms=NOW + 30 * DAY_MS) == ""
    assert rules.step_of(sub(renews=False), grace_ms=GRACE_MS, now_ms=NOW + 30 * DAY_MS) == "ended"


histories = st.lists(st.tuples(st.sampled_from(["paid", "late"]), st.integers(0, 3 * DAY_MS)), max_size=30)


@given(histories, st.sampled_from([0, DAY_MS, GRACE_MS]))
def test_whatever_is_heard_each_step_is_mailed_once_and_in_order(history, grace_ms) -> None:
    """Between two times when all was paid: late, soon, ended, each at most once; and looked at again in time."""
    now_ms, told, mailed, since = NOW, "", [], None
    for kind, passes_ms in history:
        now_ms += passes_ms
        if kind == "paid":
            held, mailed, since = sub(ends_at=now_ms + 30 * DAY_MS), [], None
        else:
            since = now_ms if since is None else since
            held = sub(unpaid_since_at=since)
        found = rules.tell(held, told, grace_ms=grace_ms, now_ms=now_ms)
        told = found.step
        if found.mail:
            assert kind == "late"
            assert found.mail not in mailed
            mailed.append(found.mail)
        assert mailed == sorted(mailed, key=["late", "soon", "ended"].index)
        again = rules.tell(held, told, grace_ms=grace_ms, now_ms=now_ms)
        assert (again.mail, again.step, again.next_at) == ("", told, found.next_at)
        assert (found.next_at is None) == (told == "ended")
        if found.next_at is not None:
            assert found.next_at > now_ms, "or a sweep would look at it for ever"
            before = rules.step_of(held, grace_ms=grace_ms, now_ms=found.next_at - 1)
            assert before == told != rules.step_of(held, grace_ms=grace_ms, now_ms=found.next_at)


def test_what_ended_long_ago_is_not_told_late() -> None:
    ended = sub(ended_at=NOW)
    for passed_ms, told in ((rules.OLD_NEWS_MS - 1, "ended"), (rules.OLD_NEWS_MS, "")):
        found = rules.tell(ended, "", grace_ms=GRACE_MS, now_ms=NOW + passed_ms)
        assert (found.step, found.mail) == ("ended", told)


async def give_address(inside: Inside, name: str, language: str) -> None:
    row = {
        "account_id": await account_id(inside, name),
        "address": f"{name}@mail.example",
        "every_s": 3600,
        "language": language,
        "verified_at": 1,
        "created_at": 1,
    }
    await inside.house.database.write(
        lambda connection: connection.execute(insert(mail_addresses).values(row))
    )


async def subscribed(inside: Inside, fake: FakeStripe, name: str) -> tuple[Head, str]:
    head = await inside.sign_up(name)
    bought = fake.pay((await begin(inside, head)).json()["url"])
    await deliver_all(inside, fake)
    return head, bought


async def sweep(inside: Inside) -> None:
    await inside.house.jobs.sweeper.run()
    await at_rest(inside)


def mailing(
    folder: Path, scenario: Callable[[Inside, MailSink], Awaitable[None]], plans: str = STRIPE
) -> None:
    async def main() -> None:
        async with mail_sink() as sink:
            told = {"smtp_url": sink.url, "mail_from": "restante@post.example"}
            async with opened(declare(folder, plans), **ORIGINS, **told) as inside:
                await asyncio.wait_for(scenario(inside, sink), 60)

    asyncio.run(main())


def subjects(sink: MailSink, name: str) -> list[str]:
    return [str(each["subject"]) for each in sink.mails if name in str(each["to"])]


def test_a_failed_payment_is_told_three_times_in_the_persons_language(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink) -> None:
        fake = new_fake(inside)
        _, bought = await subscribed(inside, fake, "ann")
        _, mended = await subscribed(inside, fake, "bob")
        await subscribed(inside, fake, "eve")  # whose card works
        for name, language in (("ann", "fr"), ("bob", "en"), ("eve", "en")):
            await give_address(inside, name, language)
        inside.clock.ahead_s += 30 * DAY_S
        for each in fake.subscriptions:
            fake.renew(each, paid=each not in {bought, mended})
        for notice in list(fake.sent):
            fake.sent.append(notice)  # all of them twice
        await deliver_all(inside, fake)
        await sweep(inside)
        assert subjects(sink, "ann") == ["Un paiement n\u2019a pas abouti sur localhost"]
        assert subjects(sink, "bob") == ["A payment did not go through on localhost"]
        text = next(each for each in sink.mails if "ann" in str(each["to"])).get_content()
        ends_ms = inside.clock.now_ms() + 7 * DAY_S * 1000
        assert mail.day(ends_ms, "fr") in text
        assert "http://inside/plan" in text
        fake.mend(mended)
        await deliver_all(inside, fake)
        inside.clock.ahead_s += 6 * DAY_S
        for _ in range(2):
            await sweep(inside)
        assert len(subjects(sink, "ann")) == 2
        inside.clock.ahead_s += 1 * DAY_S + 60
        for _ in range(2):
            await sweep(inside)
        assert subjects(sink, "ann")[1:] == [
            "Votre formule sur localhost se termine bientôt",
            "Votre formule sur localhost est terminée",
        ]
        assert len(subjects(sink, "bob")) == 1, "what was put right is no news any more"
        assert subjects(sink, "eve") == []

    mailing(tmp_path, scenario)


def test_what_no_longer_holds_when_the_mail_would_go_is_not_told(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink) -> None:
        fake = new_fake(inside)
        head, bought = await subscribed(inside, fake, "ann")
        await give_address(inside, "ann", "en")
        inside.clock.ahead_s += 30 * DAY_S
        fake.renew(bought, paid=False)
        sink.refuse_with.append(b"451 later")  # the mail waits while the card is put right
        await deliver_all(inside, fake)
        assert sink.refuse_with == []
        fake.mend(bought)
        await deliver_all(inside, fake)
        inside.clock.ahead_s += DAY_S
        await sweep(inside)
        assert (sink.mails, (await standing(inside, head))["state"]) == ([], "paid")

        # Who ends it hears so at the end, unless another plan goes on.
        fake.cancel_now(bought)
        await deliver_all(inside, fake)
        assert subjects(sink, "ann") == ["Your plan on localhost has ended"]

    mailing(tmp_path, scenario)


def test_who_gave_no_address_is_told_in_the_app_alone(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink) -> None:
        fake = new_fake(inside)
        head, bought = await subscribed(inside, fake, "ann")
        inside.clock.ahead_s += 30 * DAY_S
        fake.renew(bought, paid=False)
        await deliver_all(inside, fake)
        assert (await standing(inside, head))["state"] == "late"
        assert sink.mails == []

    mailing(tmp_path, scenario)


def test_days_and_names_stand_in_a_mail_as_its_language_has_them() -> None:
    first = 1_922_313_600_000  # 1 December 2030
    assert (mail.day(first, "en"), mail.day(first, "fr")) == ("1 December 2030", "1er décembre 2030")
    assert mail.in_language({"en": "Gold\nBcc: x", "fr": "Or"}, "en") == "Gold Bcc: x"
    assert mail.in_language({"de": "Gold"}, "fr") == "Gold"
    assert set(mail.PLAN) == {"late", "soon", "ended"}
