"""The real server dies at the places that tests/anomaly does not pass: what it had promised holds, and a repetition works."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from restante.protocol.encoding import b64
from tests.api.outside import Browser, MailSink, Receiver, mail_sink, receiving
from tests.api.parcels import inbox, make_parcel, make_upload, post, send, send_video, sent, until
from tests.api.people import Person, assert_problem, make_account, new_client, over, sealed, sign_up_form
from tests.api.test_links import Guest
from tests.api.test_mine import everything, rows_of
from tests.api.test_pages import OPEN_HANDED, Call, begin, proof, put
from tests.api.test_pairing import KEYRING, PAIRINGS, approval, approve, poll
from tests.api.test_pairing import begin as ask
from tests.api.test_people import decide
from tests.api.test_reports import disclosed, report
from tests.api.tokens import Secret
from tests.databases import looking_into
from tests.serving import Server, serving

DATA = os.urandom(50_000)
pytestmark = pytest.mark.timeout(300)


def restart(server: Server, failpoint: str = "") -> None:
    server.kill()
    server.start(RESTANTE_FAILPOINT=failpoint)


def die_at(server: Server, place: str, request: Callable[[], httpx.Response]) -> None:
    """Starts the server anew so that it dies before it answers the request."""
    restart(server, f"{place}:1")
    with pytest.raises(httpx.TransportError):
        request()
    is_dead(server)


def is_dead(server: Server) -> None:
    until(lambda: not server.answers())


def of_database(server: Server, query: str, *values: object) -> list[Any]:
    with looking_into(server.data) as database:
        return [tuple(row) for row in database.execute(query, values)]


def at_rest(server: Server) -> None:
    """Waits until nothing is left to do."""
    until(lambda: of_database(server, "SELECT count(*) FROM outbox") == [(0,)])


# Accounts that end


class Ending:
    """Somebody who has something of everything, and is about to go."""

    def __init__(self, server: Server, bob: Person) -> None:
        self.server, self.bob, self.secret = server, bob, os.urandom(16).hex().encode()
        self.ann = make_account(server.url)
        self.uploads = [make_upload(self.ann, self.secret * 1000), make_upload(self.ann, self.secret)]
        self.shown = send(self.ann, bob, upload=self.uploads[0])
        self.kept = send(bob, self.ann, upload=make_upload(bob, DATA))
        self.guest = Guest(self.ann, self.shown.id)
        self.ann.client.put(
            "/api/v1/account/state/contacts",
            content=b"age-encryption.org/v1\n" + self.secret,
            headers={"content-type": "application/octet-stream", "if-none-match": "*"},
        )
        ((self.number,),) = of_database(server, "SELECT id FROM accounts WHERE name = ?", self.ann.name)
        self.traces = [self.secret, self.ann.name.encode(), self.ann.record, self.ann.keyring]
        assert self.left() == self.traces, "the control: all of it is there"

    def left(self) -> list[bytes]:
        found = everything(self.server)
        return [trace for trace in self.traces if trace in found]

    def end(self) -> httpx.Response:
        return self.ann.client.delete("/api/v1/account")

    def check_whole(self) -> None:
        assert self.left() == self.traces
        assert self.ann.sign_in().status_code == 201
        assert [item["id"] for item in inbox(self.ann)["items"]] == [self.kept.id]
        assert [item["id"] for item in sent(self.ann)["items"]] == [self.shown.id]
        assert self.ann.client.get(KEYRING).content == self.ann.keyring
        assert self.guest.open().status_code == 201
        video = self.bob.client.get(f"/api/v1/messages/{self.shown.id}/video")
        assert video.content == self.secret * 1000

    def check_gone(self) -> None:
        over(self.server, lambda: self.ann.client.get("/api/v1/inbox"))
        assert_problem(self.ann.client.get("/api/v1/inbox"), 401, "not-signed-in")
        assert_problem(self.ann.sign_in(), 401, "sign-in-refused")
        until(lambda: rows_of(self.server, self.number) == {"log_entries": 1})
        until(lambda: not any(path.name in self.uploads for path in self.server.data.rglob("*")))
        until(lambda: self.left() == [], within_s=60)
        assert self.guest.open().status_code == 404
        assert self.shown.id not in [item["id"] for item in inbox(self.bob)["items"]]
        assert self.kept.id in [item["id"] for item in sent(self.bob)["items"]]
        assert self.bob.client.get(f"/api/v1/messages/{self.kept.id}/video").content == DATA
        with new_client(self.server.url) as nobody:
            assert nobody.get(f"/api/v1/accounts/{self.ann.name}").json() == {"taken": True}


def test_a_death_amid_a_deletion_leaves_the_account_whole_or_nothing_of_it(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        bob = make_account(server.url)
        whole, unheard, begun = (Ending(server, bob) for _ in range(3))
        die_at(server, "account-deletion-before-commit", whole.end)
        restart(server)
        whole.check_whole()
        die_at(server, "account-deletion-acknowledged", unheard.end)
        restart(server)
        unheard.check_gone()
        at_rest(server)
        restart(server, "account-messages-removed:1")
        with contextlib.suppress(httpx.TransportError):  # it may die before the answer is out
            assert begun.end().status_code == 204
        is_dead(server)
        restart(server)
        begun.check_gone()
        whole.check_whole()
        assert whole.end().status_code == 204
        whole.check_gone()


# Calls


def test_a_death_amid_a_call_leaves_one_message_or_none(tmp_path: Path) -> None:
    env = {"RESTANTE_ABUSE_CONTACT": "abuse@post.example", "RESTANTE_PROOF_COST": "5", **OPEN_HANDED}
    with serving(tmp_path / "data", **env) as server, new_client(server.url) as nobody:
        ann, bob = make_account(server.url), make_account(server.url)
        put(ann)
        url, spent, unspent = (
            f"/api/v1/pages/{ann.name}/calls",
            proof(nobody, ann.name),
            proof(nobody, ann.name),
        )
        unstored, unheard = (Call(nobody, begin(nobody, ann.name)) for _ in range(2))
        lost, kept = (call.parts(call.upload(DATA)) for call in (unstored, unheard))
        die_at(server, "page-stored", lambda: put(bob))
        die_at(server, "call-let-in", lambda: nobody.post(url, json={"proof": spent}))
        die_at(server, "call-before-commit", lambda: unstored.leave(lost))
        die_at(server, "call-before-answer", lambda: unheard.leave(kept))
        restart(server)
        assert bob.client.get("/api/v1/account/page").json()["on"] is True
        assert_problem(nobody.post(url, json={"proof": spent}), 403, "proof-refused")
        assert nobody.post(url, json={"proof": unspent}).status_code == 201
        (item,) = inbox(ann)["items"]
        again = [call.leave(parts) for call, parts in ((unheard, kept), (unstored, lost))]
        assert [answer.status_code for answer in again] == [201, 201]
        assert again[0].json()["id"] == item["id"]
        found = {each["id"] for each in inbox(ann)["items"]}
        assert found == {answer.json()["id"] for answer in again}
        for message_id in found:
            assert ann.client.get(f"/api/v1/messages/{message_id}/video").content == DATA
        for call in (unheard, unstored):
            assert_problem(call.leave(call.parts()), 410, "call-over")
        assert len(inbox(ann)["items"]) == 2


# Guests and acquaintances


def test_a_death_amid_a_guest_link_gives_it_once_counts_no_unseen_open_and_keeps_it_ended(
    tmp_path: Path,
) -> None:
    with serving(tmp_path / "data") as server:
        ann, bob = make_account(server.url), make_account(server.url)
        video = send_video(ann, bob, data=DATA).id
        ended, once, secret = Guest(ann, video), Guest(ann, video, most_opens=1), Secret()
        view = ended.open().json()["token"]
        form = {"bearer_sha256": secret.sha256, "envelope": b64(sealed(700))}

        def add() -> httpx.Response:
            return ann.client.post(f"/api/v1/messages/{video}/links", json=form)

        die_at(server, "link-added", add)
        die_at(server, "link-revoked", lambda: ann.client.delete(ended.url))
        die_at(server, "open-before-commit", once.open)
        restart(server)
        listed = {each["id"] for each in ann.client.get("/api/v1/links").json()["items"]}
        (added,) = listed - {ended.link["id"], once.link["id"]}
        assert add().json()["id"] == added
        opened = ann.client.post(f"/api/v1/links/{added}/opens", headers=secret.headers)
        assert opened.status_code == 201
        assert_problem(ended.open(), 410, "link-gone")
        assert ended.get("video", view).status_code in {403, 410}
        assert ann.client.delete(ended.url).status_code == 204
        assert (once.told["opens"], once.told["state"]) == (0, "open")
        assert once.get("video", once.open().json()["token"]).content == DATA
        assert_problem(once.open(), 410, "link-gone")


def test_a_death_amid_a_decision_a_forward_or_a_report_leaves_it_made_or_not(tmp_path: Path) -> None:
    with serving(tmp_path / "data", RESTANTE_ABUSE_CONTACT="abuse@post.example") as server:
        bob, eve, claire = (make_account(server.url) for _ in range(3))
        parcel = make_parcel(bob, upload=make_upload(eve, DATA), may_forward=True)
        assert post(eve, parcel).status_code == 201
        raw, request = disclosed(eve, bob, parcel), {"envelopes": {claire.name: b64(sealed(300))}}

        def forward() -> httpx.Response:
            return bob.client.post(f"/api/v1/messages/{parcel.id}/forwards", json=request)

        die_at(server, "forward-before-commit", forward)
        die_at(server, "report-kept", lambda: report(bob, parcel, raw))
        die_at(server, "acquaintance-decided", lambda: decide(bob, eve, "blocked"))
        restart(server)
        assert inbox(claire)["items"] == []
        assert [forward().is_success for _ in range(2)] == [True, True]
        assert [item["id"] for item in inbox(claire)["items"]] == [parcel.id]
        assert claire.client.get(f"/api/v1/messages/{parcel.id}/video").content == DATA
        ((kept,),) = of_database(server, "SELECT id FROM reports")
        assert report(bob, parcel, raw).json()["id"] == kept
        assert of_database(server, "SELECT count(*) FROM reports") == [(1,)]
        send(eve, bob)
        assert [item["id"] for item in inbox(bob)["items"]] == [parcel.id], (
            "what a blocked one sends is hidden"
        )


# Machines that are paired


def test_a_death_amid_a_pairing_lets_the_machine_in_once(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        ann, bob = make_account(server.url), make_account(server.url)
        asked, approved = ask(server.url), ask(server.url)
        keyring = sealed(1200)
        wanted = approval(ann, keyring)
        assert approve(bob, approved).status_code == 204
        with new_client(server.url) as nobody:
            die_at(server, "pairing-begun", lambda: nobody.post(PAIRINGS, json={"label": "shed"}))
        die_at(server, "pairing-written", lambda: approve(ann, asked, **wanted))
        die_at(server, "pairing-collected", lambda: poll(server.url, approved))
        restart(server)
        assert_problem(poll(server.url, ask(server.url)), 400, "authorization-pending")
        assert ann.client.get(KEYRING).content == ann.keyring
        assert_problem(poll(server.url, asked), 400, "authorization-pending")
        assert approve(ann, asked, **wanted).status_code == 204
        for person, begun in ((ann, asked), (bob, approved)):
            with new_client(server.url, poll(server.url, begun).json()["token"]) as machine:
                assert machine.get(KEYRING).content == person.client.get(KEYRING).content
            assert len(person.client.get("/api/v1/sessions").json()["items"]) == 2
        assert ann.client.get(KEYRING).content == keyring


# Those who are told


def test_a_death_amid_telling_tells_nevertheless_and_at_most_twice(tmp_path: Path) -> None:
    async def main() -> None:
        async with receiving() as outside, mail_sink() as sink:
            await asyncio.to_thread(_tell_and_die, tmp_path / "data", outside, sink)

    asyncio.run(main())


def _tell_and_die(data: Path, outside: Receiver, sink: MailSink) -> None:
    env = {
        "RESTANTE_PRIVATE_TARGETS": "allow",
        "RESTANTE_WEBHOOK_URL": f"{outside.url}/hook",
        "RESTANTE_WEBHOOK_SECRET": "a secret of the operator",
        "RESTANTE_SMTP_URL": sink.url,
        "RESTANTE_MAIL_FROM": "restante@post.example",
        "RESTANTE_ORIGINS": "https://post.example",
    }
    with serving(data, **env) as server:
        ann = make_account(server.url)
        _die_amid_a_subscription(server, outside)
        for place, times in (("tell-before-commit", 1), ("task-handed-over", 1), ("push-sent", 2)):
            bob = make_account(server.url)
            assert decide(bob, ann, "accepted").status_code == 204
            assert _subscribe(bob, Browser().subscription(f"{outside.url}/{place}")).status_code == 200
            _die_afterwards(server, place, lambda bob=bob: post(ann, make_parcel(bob)))
            assert [asked.path for asked in outside.asked].count(f"/{place}") == times, place
            assert len(inbox(bob)["items"]) == 1
        _die_amid_a_webhook(server, outside)
        _die_amid_a_mail(server, sink, ann)


def _die_afterwards(server: Server, place: str, request: Callable[[], httpx.Response]) -> None:
    """What follows the request kills the server, perhaps before its answer is out; afterwards all of it is done."""
    at_rest(server)
    restart(server, f"{place}:1")
    with contextlib.suppress(httpx.TransportError):
        assert request().is_success
    is_dead(server)
    restart(server)
    at_rest(server)


def _subscribe(person: Person, form: dict[str, str]) -> httpx.Response:
    return person.client.put("/api/v1/notices/push", json=form)


def _die_amid_a_subscription(server: Server, outside: Receiver) -> None:
    person, form = make_account(server.url), Browser().subscription(f"{outside.url}/stored")
    at_rest(server)
    die_at(server, "push-subscription-stored", lambda: _subscribe(person, form))
    restart(server)
    (kept,) = person.client.get("/api/v1/notices").json()["subscriptions"]
    assert _subscribe(person, form).json()["id"] == kept["id"]
    assert len(person.client.get("/api/v1/notices").json()["subscriptions"]) == 1


def _die_amid_a_webhook(server: Server, outside: Receiver) -> None:
    at_rest(server)
    before = len(outside.asked)
    with new_client(server.url) as nobody:
        form = sign_up_form("told-twice")
        _die_afterwards(server, "webhook-sent", lambda: nobody.post("/api/v1/accounts", json=form))
    first, second = outside.asked[before:]
    assert (first.path, first.body) == (second.path, second.body)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def _die_amid_a_mail(server: Server, sink: MailSink, person: Person) -> None:
    form = {"address": "ann@mail.example"}
    _die_afterwards(server, "mail-sent", lambda: person.client.put("/api/v1/notices/mail", json=form))
    first, second = sink.mails
    assert (first["message-id"], first["subject"]) == (second["message-id"], second["subject"])
    code = {"code": str(second["subject"]).split()[-1]}
    answer = person.client.post("/api/v1/notices/mail/verification", json=code)
    assert answer.json()["verified"] is True
