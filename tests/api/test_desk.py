"""The operator's desk: for operators with a passkey only; what is looked into is noted; the doctor names what is wrong."""

import json
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from restante.protocol.encoding import unb64
from restante.protocol.ids import Prefix, new_id
from restante.server.backup.taking import take
from restante.server.certs import authority
from restante.server.commands.doctor import doctor
from restante.server.config import Settings
from restante.server.db.tables import messages, passkeys, reports
from restante.server.desk import examining, record
from restante.server.desk.examining import Facts, examine
from restante.server.metrics.service import Waiting
from restante.server.operators import service as operators
from tests.api.inside import Inside, run
from tests.api.parcels import TUS
from tests.api.people import assert_problem
from tests.serving import ROOT

DESK = "/api/v1/operator"
VIEWS = ("health", "usage", "people", "reports", "acts")
VERIFIED_FOR_S = 301


async def account_id(inside: Inside, name: str) -> int:
    found = text("SELECT id FROM accounts WHERE name = :name")
    return await inside.house.database.read(lambda c: c.execute(found, {"name": name}).scalar_one())


async def make_operator(
    inside: Inside, name: str, *, who: dict[str, str] | None = None, passkey: bool = True
) -> dict[str, str]:
    """Of a new account, or of one whose header is ``who``."""
    who = who or await inside.sign_up(name)
    link = await inside.house.database.write(
        lambda connection: operators.make_link(connection, now_ms=inside.clock.now_ms())
    )
    assert (await inside.client.post(DESK, json={"link": link}, headers=who)).status_code == 204
    if passkey:
        row = {
            "account_id": await account_id(inside, name),
            "mid": f"mth_{name}",
            "credential_id": name.encode(),
            "public_key": b"",
            "user_handle": name.encode(),
            "rp_id": "inside",
            "sign_count": 0,
            "backup_eligible": 0,
            "transports": "",
            "label": "",
            "created_at": 1,
        }
        await inside.house.database.write(lambda connection: connection.execute(insert(passkeys).values(row)))
    return who


async def make_report(inside: Inside, reporter: str | None, sender: str | None, *, video: bytes = b"") -> str:
    upload_id = None
    if video:
        who = await inside.sign_up(f"uploads-{os.urandom(3).hex()}")
        created = await inside.client.post(
            "/api/v1/uploads", headers={**who, **TUS, "upload-length": str(len(video))}
        )
        place = created.headers["location"]
        piece = {**TUS, **who, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
        assert (await inside.client.patch(place, content=video, headers=piece)).status_code == 204
        upload_id = place.rpartition("/")[2]
    row = {
        "id": new_id(Prefix.REPORT),
        "account_id": None if reporter is None else await account_id(inside, reporter),
        "message_id": new_id(Prefix.MESSAGE),
        "sender_id": None if sender is None else await account_id(inside, sender),
        "sender": sender or "",
        "upload_id": upload_id,
        "reason": "spam",
        "note": "again",
        "container": b"a signed container",
        "details": b"details.age",
        "received_at": 1,
        "created_at": inside.clock.now_ms(),
        "state": "open",
        "decision": "",
    }
    await inside.house.database.write(lambda connection: connection.execute(insert(reports).values(row)))
    return str(row["id"])


async def get(inside: Inside, who: dict[str, str], what: str) -> Any:
    return await inside.client.get(f"{DESK}/{what}", headers=who)


async def decide(inside: Inside, who: dict[str, str], report: str, act: str) -> Any:
    form = {"act": act, "reason": "threats"}
    return await inside.client.post(f"{DESK}/reports/{report}/decision", json=form, headers=who)


async def look(inside: Inside, who: dict[str, str], report: str) -> Any:
    return await inside.client.post(f"{DESK}/reports/{report}/disclosure", headers=who)


def test_nobody_but_an_operator_with_a_passkey_sees_the_desk(tmp_path: Path):
    async def story(inside: Inside) -> None:
        ann, bob = await make_operator(inside, "ann"), await inside.sign_up("bob")
        carl = await make_operator(inside, "carl", passkey=False)
        report = await make_report(inside, "bob", "carl", video=b"x" * 100)
        for what in (*VIEWS, f"reports/{report}/video"):
            assert_problem(await get(inside, {}, what), 401, "not-signed-in")
            assert_problem(await get(inside, bob, what), 404, "not-found")
            assert_problem(await get(inside, carl, what), 403, "passkey-needed")
            assert (await get(inside, ann, what)).status_code == 200, what
        for who, status, code in ((bob, 404, "not-found"), (carl, 403, "passkey-needed")):
            assert_problem(await look(inside, who, report), status, code)
            assert_problem(await decide(inside, who, report, "dismiss"), status, code)
        assert (await get(inside, ann, "acts")).json() == {"items": [], "whole": True, "more": False}
        plain = await inside.client.get(f"{DESK}/health", headers={**carl, "host": "192.0.2.1:8080"})
        assert plain.status_code == 200, "where there can be no passkey none is asked for"

    run(tmp_path, story)


def test_what_is_disclosed_is_handed_out_after_it_is_noted_who_looked(tmp_path: Path):
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        await inside.sign_up("bob")
        video = os.urandom(5000)
        report = await make_report(inside, "bob", "ann", video=video)
        listed = (await get(inside, ann, "reports")).json()["items"]
        assert [(each["id"], each["note"], each["sender"]) for each in listed] == [(report, "again", "ann")]
        assert "container" not in listed[0]
        inside.clock.ahead_s += VERIFIED_FOR_S
        for answer in (
            await look(inside, ann, report),
            await decide(inside, ann, report, "dismiss"),
            await get(inside, ann, f"reports/{report}/video"),
        ):
            assert_problem(answer, 403, "verification-needed")
        inside.clock.ahead_s -= VERIFIED_FOR_S
        told = (await look(inside, ann, report)).json()
        assert unb64(told["container"]) == b"a signed container"
        assert (unb64(told["details"]), told["video_bytes"]) == (b"details.age", 5000)
        part = await inside.client.get(
            f"{DESK}/reports/{report}/video", headers={**ann, "range": "bytes=10-19"}
        )
        assert (part.status_code, part.content) == (206, video[10:20])
        assert (await decide(inside, ann, report, "quarantine")).json()["state"] == "quarantined"
        assert (await get(inside, ann, "reports")).json()["items"] == []
        (all_,) = (await get(inside, ann, "reports?all=true")).json()["items"]
        assert all_["decision"] == "threats"
        acts = (await get(inside, ann, "acts")).json()
        assert [(each["operator"], each["act"], each["subject"]) for each in acts["items"]] == [
            ("ann", "quarantine", report),
            ("ann", "look", report),
        ]
        assert acts["whole"]

    run(tmp_path, story)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE desk_acts SET operator = 'bob' WHERE seq = 1",
        "UPDATE desk_acts SET act = 'dismiss' WHERE seq = 2",
        "DELETE FROM desk_acts WHERE seq = 1",
        "UPDATE desk_acts SET created_at = created_at + 1 WHERE seq = 3",
    ],
)
def test_a_record_that_somebody_changed_says_so(tmp_path: Path, edit: str):
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        report = await make_report(inside, "ann", None)
        for _ in range(3):
            await look(inside, ann, report)
        assert (await get(inside, ann, "acts")).json()["whole"]
        await inside.house.database.write(lambda connection: connection.exec_driver_sql(edit))
        assert not (await get(inside, ann, "acts")).json()["whole"]

    run(tmp_path, story)


@pytest.mark.parametrize("has_key", [False, True], ids=["without the key", "control: with it"])
def test_whoever_has_the_database_and_not_the_key_cannot_write_the_record_anew(tmp_path: Path, has_key: bool):
    """Somebody takes the look out that tells of them, and hashes all that follows as it should be."""

    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        report = await make_report(inside, "ann", None)
        await look(inside, ann, report)
        await decide(inside, ann, report, "dismiss")
        key = record.key_of(inside.house.log_key) if has_key else bytes(32)

        def rewrite(connection: Connection) -> None:
            connection.exec_driver_sql("DELETE FROM desk_acts")
            record.note(connection, "bob", "dismiss", report, "threats", key=key, now_ms=1)

        await inside.house.database.write(rewrite)
        told = (await get(inside, ann, "acts")).json()
        assert ([each["operator"] for each in told["items"]], told["whole"]) == (["bob"], has_key)

    run(tmp_path, story)


def test_the_record_is_told_in_pages_back_to_its_first_line(tmp_path: Path):
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        key = record.key_of(inside.house.log_key)

        def fill(connection: Connection) -> None:
            for number in range(1, 206):
                record.note(connection, "ann", "look", f"rep_{number}", key=key, now_ms=number)

        await inside.house.database.write(fill)
        told, seen = (await get(inside, ann, "acts")).json(), []
        while told["items"]:
            assert told["whole"]
            seen += [each["seq"] for each in told["items"]]
            assert told["more"] == (seen[-1] > 1)
            told = (await get(inside, ann, f"acts?before={seen[-1]}")).json()
        assert seen == list(range(205, 0, -1))
        assert_problem(await get(inside, ann, "acts?before=0"), 422, "invalid")

    run(tmp_path, story)


def test_a_report_of_an_account_that_is_gone_names_nobody(tmp_path: Path):
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        await make_report(inside, "ann", None)
        await make_report(inside, None, "ann")
        listed = (await get(inside, ann, "reports")).json()["items"]
        assert {(each["reporter"], each["sender"]) for each in listed} == {("ann", None), (None, "ann")}

    run(tmp_path, story)


def test_decisions_that_cannot_be(tmp_path: Path):
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        report = await make_report(inside, "ann", None)
        assert_problem(await decide(inside, ann, report, "ban"), 409, "nothing-to-ban")
        assert_problem(await decide(inside, ann, report, "burn"), 422, "invalid")
        assert_problem(await decide(inside, ann, report[:-3], "dismiss"), 404, "not-found")
        assert_problem(await look(inside, ann, "rep_"), 404, "not-found")
        assert_problem(await get(inside, ann, f"reports/{report}/video"), 404, "not-found")
        assert (await get(inside, ann, "acts")).json()["items"] == []

    run(tmp_path, story)


def test_an_operator_gets_back_what_they_uploaded_in_ranges(tmp_path: Path):
    async def story(inside: Inside) -> None:
        ann, bob = await make_operator(inside, "ann"), await make_operator(inside, "bob")
        made = await inside.client.post("/api/v1/uploads", headers={**ann, **TUS, "upload-length": "64"})
        place = made.headers["location"]
        upload_id = place.rpartition("/")[2]
        assert_problem(await get(inside, ann, f"uploads/{upload_id}/video"), 404, "not-found")
        piece = {**TUS, **ann, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
        await inside.client.patch(place, content=bytes(range(64)), headers=piece)
        part = await get(inside, {**ann, "range": "bytes=8-15"}, f"uploads/{upload_id}/video")
        assert (part.status_code, part.content) == (206, bytes(range(8, 16)))
        assert_problem(await get(inside, bob, f"uploads/{upload_id}/video"), 404, "not-found")

    run(tmp_path, story)


def test_people_and_use_are_counted_without_what_or_to_whom(tmp_path: Path):
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        await inside.sign_up("bob")
        listed = (await get(inside, ann, "people")).json()
        assert [each["name"] for each in listed["items"]] == ["ann", "bob"]
        assert set(listed["items"][0]) == {
            *("name", "created_at", "seen_at", "messages", "bytes", "is_banned", "is_operator")
        }
        assert [each["name"] for each in (await get(inside, ann, "people?after=ann")).json()["items"]] == [
            "bob"
        ]
        await inside.sign_up("bob_1")
        for like, names in (("bo", ["bob", "bob_1"]), ("b_", ["bob_1"]), ("OB", ["bob", "bob_1"]), ("%", [])):
            found = (await inside.client.get(f"{DESK}/people", params={"like": like}, headers=ann)).json()
            assert [each["name"] for each in found["items"]] == names, like
        usage = (await get(inside, ann, "usage")).json()
        assert (usage["accounts"], usage["messages"], len(usage["days"])) == (3, 0, 30)

    run(tmp_path, story)


def test_a_day_counts_all_that_was_sent_on_it(tmp_path: Path):
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        now_ms, owner = inside.clock.now_ms(), await account_id(inside, "ann")

        def sent(connection: Connection) -> None:
            for hours, size in ((1, 5), (2, 7), (3, 11), (50, 13)):
                row = {
                    "id": f"msg_{hours}",
                    "account_id": owner,
                    "kind": "video",
                    "video_bytes": size,
                    "received_at": now_ms - hours * 3_600_000,
                }
                hashes = dict.fromkeys(("details", "details_sha256", "claim_hmac", "request_sha256"), b"")
                connection.execute(insert(messages).values(**row, **hashes))

        await inside.house.database.write(sent)
        days = (await get(inside, ann, "usage")).json()["days"]
        assert [(day["messages"], day["bytes"]) for day in days if day["messages"]] == [(1, 13), (3, 23)]

    run(tmp_path, story)


# The doctor


def facts(**changes: Any) -> Facts:
    now_ms = 1_900_000_000_000
    sound = {
        "now_ms": now_ms,
        "newest_ms": now_ms - 1,
        "upkeep": {"backup_at": now_ms - 1, "check_at": now_ms - 1, "check_errors": 0},
        "waiting": [],
        "is_current": True,
        "operators": 1,
    }
    return Facts(**{**sound, **changes})


def states(settings: Settings, told: Facts) -> dict[str, str]:
    items = list(examine(settings, told, server_name="post.example"))
    assert all(each.cure or each.state == "good" for each in items), "what is not well has a cure"
    return {each.name: each.state for each in items}


NOW = facts().now_ms
WITNESS = "http://127.0.0.1:9/log witness.example+3ac253b8+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "clock": ({}, {"newest_ms": NOW + 120_000}, "bad"),
    "disk": ({"keep_free_bytes": 2**60}, {}, "bad"),
    "database": ({}, {"is_current": False}, "poor"),
    "mail": ({"smtp_url": "smtp://127.0.0.1:9", "mail_from": "a@post.example"}, {}, "bad"),
    "push": ({}, {"waiting": [Waiting("push", 1, NOW - 600_000)]}, "bad"),
    "work": ({}, {"waiting": [Waiting("mail", 1, NOW - 600_000)]}, "bad"),
    "backup": ({}, {"upkeep": {"backup_at": NOW - 10**9, "check_at": NOW, "check_errors": 0}}, "poor"),
    "check": ({}, {"upkeep": {"backup_at": NOW, "check_at": NOW, "check_errors": 2}}, "bad"),
    "abuse": ({"abuse_contact": ""}, {}, "poor"),
    "operator": ({}, {"operators": 0}, "poor"),
    "witnesses": ({"witnesses": (WITNESS,)}, {}, "bad"),
    "address": ({"origins": ("http://post.example",)}, {}, "bad"),
    "certificate": ({"origins": ("https://127.0.0.1:9",)}, {}, "bad"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_doctor_names_what_is_wrong_and_only_that(tmp_path: Path, name: str):
    tmp_path.chmod(0o700)
    well = {"data": tmp_path, "abuse_contact": "abuse@post.example", "keep_free_bytes": 0}
    changed, told, state = WRONG[name]
    sound = states(Settings(**well), facts())
    spoilt = states(Settings(**well | changed), facts(**told))
    assert sound[name] != state
    assert spoilt[name] == state
    others = {other for other in sound if other != name and sound[other] != spoilt[other]}
    assert others <= {"push", "address", "certificate"}  # what an address changes


def test_the_doctor_sees_storage_that_cannot_be_written_and_secrets_that_all_can_read(tmp_path: Path):
    settings = Settings(data=tmp_path / "data", keep_free_bytes=0)
    assert states(settings, facts())["storage"] == "bad"
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data" / "log.key").touch(mode=0o644)
    seen = states(settings, facts())
    assert (seen["storage"], seen["secrets"]) == ("good", "bad")
    (tmp_path / "data").chmod(0o700)
    assert states(settings, facts())["secrets"] == "good"


@pytest.mark.parametrize(("left", "state"), [(60, "good"), (10, "poor"), (-1, "bad")])
def test_the_doctor_sees_how_long_a_certificate_is_good(tmp_path: Path, left: int, state: str):
    names = authority.Names(("post.local",), ())
    begun = datetime.now(UTC) - authority.LEAF_FOR + timedelta(days=left, hours=1)
    issued = authority.issue(authority.make_authority("here", names, begun), names, begun)
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(issued.pem)
    key.write_bytes(issued.key_pem)
    settings = Settings(data=tmp_path, tls="files", tls_cert=str(certificate), tls_key=str(key))
    assert states(settings, facts())["certificate"] == state


def test_the_doctor_sees_a_disk_that_forgets_and_a_web_app_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = Settings(data=tmp_path, keep_free_bytes=0)
    monkeypatch.setattr(examining, "_WEBAPP", tmp_path / "index.html")
    assert states(settings, facts())["webapp"] == "bad"
    (tmp_path / "index.html").touch()
    assert states(settings, facts())["webapp"] == "good"
    monkeypatch.setattr(Path, "read_bytes", lambda _: bytes(4096))
    assert states(settings, facts())["storage"] == "bad"


def test_the_desk_has_words_and_a_cure_for_each_thing_that_the_doctor_looks_at(tmp_path: Path):
    looked_at = states(Settings(data=tmp_path), facts())
    words = (ROOT / "web" / "src" / "screens" / "desk" / "words.ts").read_text()
    told = set(re.findall(r"^  (\w+): \(\) => \(\{ icon", words, re.MULTILINE))
    assert told == set(looked_at)
    for language in ("en", "fr"):
        messages = json.loads((ROOT / "web" / "messages" / f"{language}.json").read_text())
        assert all(messages[f"desk_{name}"] for name in looked_at)
        assert all(messages[f"desk_{name}_cure"] for name in looked_at.keys() - {"versions"})


@pytest.mark.sqlite
def test_the_command_says_it_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    async def story(_: Inside) -> None: ...

    (tmp_path / "data").mkdir(mode=0o700)
    run(tmp_path / "data", story)
    assert doctor(data=tmp_path / "nowhere") == 2
    assert capsys.readouterr().err.startswith("error: there is no server's data")
    doctor(data=tmp_path / "data", json=True)
    before = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert before["backup"]["text"] == "there was none yet"
    take(tmp_path / "data", tmp_path / "backup")
    doctor(data=tmp_path / "data")
    out = capsys.readouterr().out
    assert "backup       0 hours ago" in out
    assert not list((tmp_path / "data").rglob(".doctor-*"))
    shutil.rmtree(tmp_path / "data")
