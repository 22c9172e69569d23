"""Mail to those who asked for it, and the operator's webhook: by the outbox, to a mail server and a receiver on loopback."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from restante.server.push.mail import Mailer
from tests.api.inside import Inside, run
from tests.api.outside import MailSink, mail_sink, receiving
from tests.api.people import assert_problem
from tests.api.told import Head, ann_and_bob, at_rest, leave, tasks_of, until

LOCAL = {"private_targets": "allow"}


def mailed(folder: Path, scenario: Callable[[Inside, MailSink, Head, Head], Awaitable[None]]) -> None:
    async def main() -> None:
        async with mail_sink() as sink:
            settings = {"smtp_url": sink.url, "mail_from": "restante@post.example"}

            async def inner(inside: Inside) -> None:
                await scenario(inside, sink, *await ann_and_bob(inside))

            await asyncio.to_thread(run, folder, inner, origins=("https://post.example",), **settings)

    asyncio.run(main())


async def set_mail(inside: Inside, head: Head, **changes: object) -> None:
    form = {"address": "bob@mail.example", **changes}
    answer = await inside.client.put("/api/v1/notices/mail", json=form, headers=head)
    assert answer.status_code == 204, answer.text


async def verify(inside: Inside, sink: MailSink, head: Head) -> None:
    await set_mail(inside, head)
    await until(inside, lambda: len(sink.mails) == 1)
    code = str(sink.mails[0]["subject"]).split()[-1]
    answer = await inside.client.post("/api/v1/notices/mail/verification", json={"code": code}, headers=head)
    assert answer.json()["verified"] is True


def test_an_address_is_written_to_after_it_was_verified(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink, ann: Head, bob: Head) -> None:
        await set_mail(inside, bob)
        await until(inside, lambda: len(sink.mails) == 1)
        await leave(inside, ann, "bob")
        inside.clock.ahead_s = 600
        await at_rest(inside)
        assert len(sink.mails) == 1, "not before it is verified"
        right = str(sink.mails[0]["subject"]).split()[-1]
        wrong = f"{(int(right) + 1) % 10**8:08}"
        path = "/api/v1/notices/mail/verification"
        assert_problem(await inside.client.post(path, json={"code": wrong}, headers=bob), 403, "wrong-code")
        assert_problem(await inside.client.post(path, json={"code": right}, headers=ann), 403, "wrong-code")
        assert (await inside.client.post(path, json={"code": right}, headers=bob)).status_code == 200
        assert_problem(await inside.client.post(path, json={"code": right}, headers=bob), 403, "wrong-code")
        await leave(inside, ann, "bob")
        await at_rest(inside)
        inside.clock.ahead_s += 200
        await until(inside, lambda: len(sink.mails) == 2)

    mailed(tmp_path, scenario)


def test_what_comes_while_a_mail_is_on_its_way_is_told_of_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Mailer.send

    async def scenario(inside: Inside, sink: MailSink, ann: Head, bob: Head) -> None:
        async def slowly(mailer: Mailer, *args: object, **words: object) -> None:
            await real(mailer, *args, **words)  # type: ignore[arg-type]
            if len(sink.mails) == 2:
                await leave(inside, ann, "bob")

        await verify(inside, sink, bob)
        monkeypatch.setattr(Mailer, "send", slowly)
        await leave(inside, ann, "bob")
        await at_rest(inside)
        inside.clock.ahead_s = 130
        await until(inside, lambda: len(sink.mails) == 2)
        await at_rest(inside)
        inside.clock.ahead_s = 4000
        await until(inside, lambda: len(sink.mails) == 3)

    mailed(tmp_path, scenario)


def test_mail_is_a_digest_that_says_nothing_of_senders_and_ends_by_one_click(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink, ann: Head, bob: Head) -> None:
        await verify(inside, sink, bob)
        for _ in range(3):
            await leave(inside, ann, "bob")
        await at_rest(inside)
        assert len(sink.mails) == 1
        inside.clock.ahead_s = 130
        await until(inside, lambda: len(sink.mails) == 2)
        mail = sink.mails[1]
        text = mail.get_content()
        assert ": 3." in text
        assert "ann" not in mail.as_string().lower().replace("annot", "")
        assert mail["auto-submitted"] == "auto-generated"
        await leave(inside, ann, "bob")
        inside.clock.ahead_s = 1000
        await at_rest(inside)
        assert len(sink.mails) == 2, "at most one an hour"
        inside.clock.ahead_s = 4000
        await until(inside, lambda: len(sink.mails) == 3)
        stop = str(mail["list-unsubscribe"]).strip("<>").removeprefix("https://post.example")
        assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        asked = await inside.client.get(stop)
        assert "<form" in asked.text
        assert (await inside.client.get("/api/v1/notices", headers=bob)).json()["mail"] is not None
        assert (await inside.client.post(f"{stop}x")).status_code == 200
        assert (await inside.client.get("/api/v1/notices", headers=bob)).json()["mail"] is not None
        body = {"list-unsubscribe": "One-Click"}
        assert (await inside.client.post(stop, data=body)).status_code == 200
        assert (await inside.client.get("/api/v1/notices", headers=bob)).json()["mail"] is None

    mailed(tmp_path, scenario)


def test_whoever_fetched_already_gets_no_mail(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink, ann: Head, bob: Head) -> None:
        await verify(inside, sink, bob)
        message_id = await leave(inside, ann, "bob")
        path = f"/api/v1/messages/{message_id}/marks"
        assert (await inside.client.post(path, json={"mark": "fetched"}, headers=bob)).status_code == 204
        await at_rest(inside)
        inside.clock.ahead_s = 8000
        await at_rest(inside)
        assert await tasks_of(inside, "mail") == []
        assert len(sink.mails) == 1

    mailed(tmp_path, scenario)


def test_an_address_that_the_mail_server_refuses_for_good_is_forgotten(tmp_path: Path) -> None:
    async def scenario(inside: Inside, sink: MailSink, ann: Head, bob: Head) -> None:
        sink.refuse_with += [b"451 later", b"550 nobody"]
        await set_mail(inside, bob)
        await until(inside, lambda: len(sink.refuse_with) == 1)
        await at_rest(inside)
        assert (await inside.client.get("/api/v1/notices", headers=bob)).json()["mail"] is not None
        inside.clock.ahead_s = 60
        await until(inside, lambda: sink.refuse_with == [])
        await at_rest(inside)
        assert (await inside.client.get("/api/v1/notices", headers=bob)).json()["mail"] is None
        assert sink.mails == []

    mailed(tmp_path, scenario)


def test_a_server_without_mail_says_so(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        bob = await inside.sign_up("bob")
        answer = await inside.client.put(
            "/api/v1/notices/mail", json={"address": "bob@mail.example"}, headers=bob
        )
        assert_problem(answer, 403, "mail-unavailable")

    run(tmp_path, scenario)


# The operator


def test_the_operators_webhook_is_signed_and_repeated_under_the_same_id(tmp_path: Path) -> None:
    secret = "a secret of the operator"

    async def main() -> None:
        async with receiving() as outside:
            outside.answers.append((500, {}))

            async def scenario(inside: Inside) -> None:
                await inside.sign_up("ann")
                await until(inside, lambda: len(outside.asked) == 1)
                await at_rest(inside)
                inside.clock.ahead_s = 10
                await until(inside, lambda: len(outside.asked) == 2)

            settings = {**LOCAL, "webhook_url": f"{outside.url}/hook", "webhook_secret": secret}
            await asyncio.to_thread(run, tmp_path, scenario, **settings)
            first, second = outside.asked
            assert first.headers["webhook-id"] == second.headers["webhook-id"]
            assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) >= 9
            for asked in outside.asked:
                signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode()
                right = hmac.new(secret.encode(), signed + asked.body, hashlib.sha256).digest()
                assert asked.headers["webhook-signature"] == f"v1,{base64.b64encode(right).decode()}"
            body = json.loads(second.body)
            assert (body["type"], body["server"]) == ("account.created", "localhost")
            assert "ann" not in second.body.decode()

    asyncio.run(main())


def test_an_account_that_was_not_made_is_told_to_nobody(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        await inside.sign_up("ann")
        await at_rest(inside)
        with pytest.raises(AssertionError, match="name-taken"):
            await inside.sign_up("ann")
        assert await tasks_of(inside, "webhook") == []

    run(tmp_path, scenario)
