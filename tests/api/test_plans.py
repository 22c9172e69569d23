"""Plans on a server: counted with the send, never for receiving, and gone where there is no file."""

import asyncio
from pathlib import Path

import pytest

from restante.server.config import BadSettings, Settings
from restante.server.plans import declared
from tests.api.inside import Inside, run
from tests.api.parcels import make_parcel, new_key
from tests.api.people import assert_problem
from tests.api.planned import PREMIUM, TRIAL, begin_upload, declare, post, send_video, standing, upload

GENEROUS = {"rate_sends": "100000/1s"}
SMALL = TRIAL.replace("messages = 20", "messages = 2")


def test_of_fifty_sends_at_nineteen_of_twenty_exactly_one_succeeds(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, _ = await inside.sign_up("ann"), await inside.sign_up("bob")
        for _ in range(19):
            await send_video(inside, ann, "bob")
        waiting = [make_parcel("bob", upload=await upload(inside, ann)) for _ in range(50)]
        answers = await asyncio.gather(*(post(inside, ann, parcel) for parcel in waiting))
        assert sorted(answer.status_code for answer in answers) == [201] + [402] * 49
        refused = next(answer for answer in answers if answer.status_code == 402)
        problem = assert_problem(refused, 402, "plan-limit")
        assert (problem["used"], problem["limit"]) == (20, 20)
        assert (await standing(inside, ann))["used"] == 20

    run(declare(tmp_path), scenario, **GENEROUS)


def test_a_repeated_send_counts_once_and_a_failed_one_not_at_all(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, _ = await inside.sign_up("ann"), await inside.sign_up("bob")
        parcel, key = make_parcel("bob", upload=await upload(inside, ann)), new_key()
        for again in (key, key, new_key()):
            assert (await post(inside, ann, parcel, again)).status_code in {200, 201}
        assert (await standing(inside, ann))["used"] == 1

        # What fails after it was counted takes its count back: here at the links, which this plan does not have.
        linked = make_parcel("bob", upload=await upload(inside, ann))
        link = {"bearer_sha256": "A" * 43, "may_save": True, "may_answer": False}
        files = [
            *linked.but(links=[link]).files(),
            ("link:0", (None, linked.details, "application/octet-stream")),
        ]
        headers = {**ann, "idempotency-key": new_key()}
        refused = await inside.client.post("/api/v1/messages", files=files, headers=headers)
        assert_problem(refused, 402, "not-in-plan")
        assert_problem(await post(inside, ann, linked.but(recipients=["nobody"])), 400, "bad-multipart")
        assert (await standing(inside, ann))["used"] == 1
        assert (await post(inside, ann, linked)).status_code == 201
        assert (await standing(inside, ann))["used"] == 2

    run(declare(tmp_path), scenario)


def test_at_the_limit_no_bytes_are_taken_but_words_are_and_receiving_is_free(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, bob = await inside.sign_up("ann"), await inside.sign_up("bob")
        ready = await upload(inside, ann)
        for _ in range(2):
            await send_video(inside, ann, "bob")
        assert_problem(await post(inside, ann, make_parcel("bob", upload=ready)), 402, "plan-limit")
        problem = assert_problem(await begin_upload(inside, ann), 402, "plan-limit")
        assert (problem["used"], problem["limit"], problem["detail"]) == (2, 2, "messages")
        assert (await post(inside, ann, make_parcel("bob"))).status_code == 201  # words
        for _ in range(2):
            await send_video(inside, bob, "ann")
        received = (await inside.client.get("/api/v1/inbox", headers=ann)).json()["items"]
        assert len(received) == 2
        path = f"/api/v1/messages/{received[0]['id']}/video"
        assert (await inside.client.get(path, headers=ann)).status_code == 200

    run(declare(tmp_path, SMALL), scenario)


def test_what_is_deleted_stays_counted_but_gives_its_bytes_back(tmp_path: Path) -> None:
    plans = TRIAL + 'kept = "2k"\n'

    async def scenario(inside: Inside) -> None:
        ann, _ = await inside.sign_up("ann"), await inside.sign_up("bob")
        first = await send_video(inside, ann, "bob", 1500)
        second = make_parcel("bob", upload=await upload(inside, ann, b"y" * 1000))
        problem = assert_problem(await post(inside, ann, second), 402, "plan-limit")
        assert (problem["used"], problem["limit"], problem["detail"]) == (1500, 2048, "bytes kept")
        await inside.client.delete(f"/api/v1/messages/{first.id}?for=everyone", headers=ann)
        assert (await post(inside, ann, second)).status_code == 201
        told = await standing(inside, ann)
        assert (told["used"], told["kept_bytes"], told["kept_most"]) == (2, 1000, 2048)

    run(declare(tmp_path, plans), scenario)


def test_a_plan_ends_videos_no_later_than_it_keeps_them(tmp_path: Path) -> None:
    day_ms = 24 * 3600 * 1000

    async def scenario(inside: Inside) -> None:
        ann, _ = await inside.sign_up("ann"), await inside.sign_up("bob")
        now_ms = inside.clock.now_ms()
        for wished, days in ((None, 7), (now_ms + day_ms, 1), (now_ms + 30 * day_ms, 7)):
            fields = {} if wished is None else {"expires_at": wished}
            parcel = make_parcel("bob", upload=await upload(inside, ann), **fields)
            assert (await post(inside, ann, parcel)).status_code == 201
            item = (await inside.client.get(f"/api/v1/messages/{parcel.id}", headers=ann)).json()
            assert abs(item["expires_at"] - now_ms - days * day_ms) < 60_000

    run(declare(tmp_path, TRIAL + "retention_days = 7\n"), scenario)


def test_a_monthly_plan_counts_anew_each_month(tmp_path: Path) -> None:
    plans = SMALL + 'per = "month"\n'

    async def scenario(inside: Inside) -> None:
        ann, _ = await inside.sign_up("ann"), await inside.sign_up("bob")
        for _ in range(2):
            await send_video(inside, ann, "bob")
        told = await standing(inside, ann)
        assert (told["used"], told["messages"], told["state"]) == (2, 2, "free")
        assert_problem(await begin_upload(inside, ann), 402, "plan-limit")
        inside.clock.ahead_s = (told["anew_at"] - inside.clock.now_ms()) / 1000
        await send_video(inside, ann, "bob")
        assert (await standing(inside, ann))["used"] == 1

    run(declare(tmp_path, plans), scenario)


def test_the_standing_tells_what_can_be_had(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        told = await standing(inside, await inside.sign_up("ann"))
        assert (told["on"], told["plan"]["name"], told["plan"]["price"]) == (
            True,
            {"en": "Trial", "fr": "Essai"},
            "0",
        )
        (offer,) = told["offers"]
        assert (offer["id"], offer["price"], offer["currency"], offer["every"]) == (
            "premium",
            "4.99",
            "usd",
            "month",
        )
        assert offer["messages"] is None
        assert told["pays_by"] == "none"

    run(declare(tmp_path, TRIAL + PREMIUM), scenario)


def test_without_the_file_everything_is_free(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, _ = await inside.sign_up("ann"), await inside.sign_up("bob")
        for _ in range(21):
            await send_video(inside, ann, "bob")
        assert (await standing(inside, ann))["on"] is False

    run(tmp_path, scenario, **GENEROUS)


def test_a_file_that_is_named_must_be_there_and_stripe_must_be_set_up(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="which is not there"):
        declared.load(Settings(data=tmp_path, plans=str(tmp_path / "none.toml")))
    assert declared.load(Settings(data=tmp_path)) is None
    declare(tmp_path, TRIAL + PREMIUM)
    assert declared.load(Settings(data=tmp_path)) is not None
