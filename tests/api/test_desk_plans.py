"""Plans at the operator's desk: counts, never who; what is given, recorded and ended stands in the record; at the terminal likewise."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from restante.server.commands.plans import grants, payments, plans
from restante.server.transparency import keyfile
from tests.api.inside import Inside, run
from tests.api.people import assert_problem
from tests.api.planned import PREMIUM, TRIAL, declare, standing
from tests.api.test_desk import DESK, VERIFIED_FOR_S, get, make_operator
from tests.api.test_payments import MANUAL, begin
from tests.api.told import Head

DAY_MS = 24 * 3600 * 1000


async def give(inside: Inside, who: Head, **form: Any) -> httpx.Response:
    return await inside.client.post(f"{DESK}/grants", json={"account": "bob", **form}, headers=who)


async def pay(inside: Inside, who: Head, account: str, reference: str = "bank 1") -> httpx.Response:
    form = {"account": account, "plan": "premium", "reference": reference}
    return await inside.client.post(f"{DESK}/payments", json=form, headers=who)


async def end(inside: Inside, who: Head, grant: str) -> httpx.Response:
    return await inside.client.post(f"{DESK}/grants/{grant}/end", headers=who)


def test_an_operator_gives_records_and_ends_and_each_stands_in_the_record(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann, bob = await make_operator(inside, "ann"), await inside.sign_up("bob")
        told = (await get(inside, ann, "plans")).json()
        assert [(each["plan"]["id"], each["paid"]) for each in told["items"]] == [
            ("trial", 0),
            ("premium", 0),
        ]
        assert (told["on"], told["pays_by"], told["grace_days"]) == (True, "manual", 7)

        gift = (await give(inside, ann, videos=5, reason="thank you")).json()
        lent = (await give(inside, ann, plan="premium", days=30)).json()
        assert (gift["videos"], gift["ends_at"], lent["plan"]) == (5, None, "premium")
        assert lent["ends_at"] == lent["begins_at"] + 30 * DAY_MS
        assert (await standing(inside, bob))["state"] == "granted"

        reference = (await begin(inside, bob)).json()["reference"]
        paid = (await pay(inside, ann, reference)).json()
        assert (paid["account"], paid["source"], paid["reference"]) == ("bob", "manual", "bank 1")
        assert (await pay(inside, ann, "bob")).json() == paid, "the same payment again"
        counts = {each["plan"]["id"]: each for each in (await get(inside, ann, "plans")).json()["items"]}
        assert (counts["premium"]["granted"], counts["premium"]["ending"]) == (1, 1)
        assert counts["trial"] == {
            "plan": counts["trial"]["plan"],
            "paid": 0,
            "ending": 0,
            "late": 0,
            "granted": 0,
        }
        assert "bob" not in json.dumps(counts)

        assert (await end(inside, ann, lent["id"])).json()["ends_at"] <= inside.clock.now_ms()
        listed = (await get(inside, ann, "grants")).json()
        assert {each["id"] for each in listed["items"]} == {gift["id"], lent["id"], paid["id"]}
        assert (await get(inside, ann, "grants?account=ann")).json() == {"items": [], "more": False}
        acts = (await get(inside, ann, "acts")).json()
        assert [(each["act"], each["subject"], each["note"]) for each in acts["items"]] == [
            ("end-grant", lent["id"], ""),
            ("record-payment", paid["id"], "bank 1"),
            ("record-payment", paid["id"], "bank 1"),
            ("give", lent["id"], ""),
            ("give", gift["id"], "thank you"),
        ]
        assert acts["whole"]

    run(declare(tmp_path, MANUAL), story)


def test_nobody_else_gives_and_an_operator_only_after_showing_who_it_is(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann, bob = await make_operator(inside, "ann"), await inside.sign_up("bob")
        carl = await make_operator(inside, "carl", passkey=False)
        gift = (await give(inside, ann, videos=1)).json()["id"]
        for who, status, code in (
            ({}, 401, "not-signed-in"),
            (bob, 404, "not-found"),
            (carl, 403, "passkey-needed"),
        ):
            for what in ("plans", "grants"):
                assert_problem(await get(inside, who, what), status, code)
            for answer in (
                await give(inside, who, videos=1),
                await pay(inside, who, "bob"),
                await end(inside, who, gift),
            ):
                assert_problem(answer, status, code)
        inside.clock.ahead_s += VERIFIED_FOR_S
        for answer in (
            await give(inside, ann, videos=1),
            await pay(inside, ann, "bob"),
            await end(inside, ann, gift),
        ):
            assert_problem(answer, 403, "verification-needed")
        assert (await get(inside, ann, "grants")).json()["items"][0]["ends_at"] is None
        assert len((await get(inside, ann, "acts")).json()["items"]) == 1

    run(declare(tmp_path, MANUAL), story)


def test_what_cannot_be_given_is_refused_and_leaves_no_line(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        for name in ("bob", "eve"):
            await inside.sign_up(name)
        for form in (
            {},
            {"videos": 1, "plan": "premium"},
            {"plan": "gold"},
            {"videos": -1},
            {"videos": 1, "days": -1},
        ):
            assert_problem(await give(inside, ann, **form), 422, "invalid")
        assert_problem(await give(inside, ann, videos=1, account="nobody"), 404, "no-such-account")
        assert_problem(await pay(inside, ann, "nobody"), 404, "no-such-account")
        assert_problem(await end(inside, ann, "grt_"), 404, "not-found")
        assert (await get(inside, ann, "acts")).json()["items"] == []
        assert (await pay(inside, ann, "bob")).status_code == 200
        assert_problem(await pay(inside, ann, "eve"), 409, "paid-before")
        free = {"account": "bob", "plan": "trial", "reference": "2"}
        answer = await inside.client.post(f"{DESK}/payments", json=free, headers=ann)
        assert_problem(answer, 422, "invalid")

    run(declare(tmp_path, MANUAL), story)


def test_without_plans_the_desk_says_so(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        assert (await get(inside, ann, "plans")).json()["on"] is False

    run(tmp_path, story)


def test_the_terminal_counts_and_its_gifts_stand_in_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(inside: Inside) -> None:
        ann, _ = await make_operator(inside, "ann"), await inside.sign_up("bob")
        capsys.readouterr()
        assert grants("give", "bob", plan="premium", reason="thanks", data=tmp_path) == 0
        assert payments("bob", "premium", reference="bank 9", data=tmp_path, json=True) == 0
        paid = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert grants("end", paid["id"], data=tmp_path) == 0
        capsys.readouterr()
        assert plans("count", data=tmp_path) == 0
        assert capsys.readouterr().out.splitlines() == [
            "trial  0 paid  0 ending  0 late  0 granted",
            "premium  0 paid  0 ending  0 late  1 granted",
        ]
        assert plans("count", data=tmp_path, json=True) == 0
        assert json.loads(capsys.readouterr().out)[1]["granted"] == 1
        acts = (await get(inside, ann, "acts")).json()
        assert [(each["operator"], each["act"], each["note"]) for each in acts["items"]] == [
            ("", "end-grant", ""),
            ("", "record-payment", "bank 9"),
            ("", "give", "thanks"),
        ]
        assert acts["whole"]

    run(declare(tmp_path, TRIAL + PREMIUM), story, log_key=keyfile.load(tmp_path))
