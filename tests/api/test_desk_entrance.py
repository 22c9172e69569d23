"""At the desk: switches with a preview, who waits and is invited, invites, the work that waits. Operators only, and noted."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from restante.cli.main import run as command
from restante.server.availability import switches
from restante.server.availability.rules import Door, Who, decide
from restante.server.outbox import queue
from tests.api.inside import Inside, run
from tests.api.outside import mail_sink
from tests.api.people import assert_problem
from tests.api.test_availability import BEHIND, MAC, WINDOWS, entered, founded, from_, sign_up, told
from tests.api.test_desk import DESK, VERIFIED_FOR_S, get, make_operator
from tests.api.told import Head, at_rest, until

BETA = '[countries.US]\nphase = "open"\n[countries.GB]\nphase = "beta"\ntext.en = "By invite."\n'
INVITE = {"note": "for Bob", "uses": 2, "days": 3}
APRIL_MS = 1_806_537_600_000


def switch(name: str, phase: str, opens_at: int | None = None) -> dict[str, Any]:
    what = "country" if name.isupper() or name == "elsewhere" else "platform"
    return {"what": what, "name": name, "phase": phase, "opens_at": opens_at}


async def ask(inside: Inside, who: Head, method: str, what: str, form: Any = None) -> Any:
    return await inside.client.request(method, f"{DESK}/{what}", json=form, headers=who)


async def put(inside: Inside, who: Head, *wanted: dict[str, Any]) -> Any:
    return await ask(inside, who, "PUT", "availability", {"items": wanted})


async def last_act(inside: Inside, who: Head) -> tuple[str, str, str]:
    told = (await get(inside, who, "acts")).json()
    assert told["whole"]
    newest = told["items"][0]
    return newest["act"], newest["subject"], newest["note"]


def test_only_operators_see_and_only_the_verified_change(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann, bob = await make_operator(inside, "ann"), await inside.sign_up("bob")
        carl = await make_operator(inside, "carl", passkey=False)
        preview = ("POST", "availability/preview", {"items": []})
        sees = [("GET", what, None) for what in ("availability", "waiting", "invites", "work")]
        changes = [
            ("PUT", "availability", {"items": []}),
            ("POST", "waiting/1/invite", None),
            ("POST", "invites", INVITE),
            ("DELETE", "invites/inv_x", None),
            ("POST", "work", {"kind": "push"}),
        ]
        for method, what, form in (*sees, preview, *changes):
            assert_problem(await ask(inside, {}, method, what, form), 401, "not-signed-in")
            assert_problem(await ask(inside, bob, method, what, form), 404, "not-found")
            assert_problem(await ask(inside, carl, method, what, form), 403, "passkey-needed")
        inside.clock.ahead_s += VERIFIED_FOR_S
        for method, what, form in (*sees, preview):
            assert (await ask(inside, ann, method, what, form)).status_code == 200
        for method, what, form in changes:
            assert_problem(await ask(inside, ann, method, what, form), 403, "verification-needed")
        assert (await get(inside, ann, "acts")).json()["items"] == []

    run(tmp_path, story)


def test_a_switch_counts_at_once_over_the_file_and_the_file_again_without_it(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann", who=await entered(inside, "ann", from_("US") | MAC))
        at_home = from_("FR") | MAC
        assert not (await told(inside, at_home))["allowed"]
        wanted = [switch("FR", "open"), switch("windows", "planned", APRIL_MS)]
        seen = (await ask(inside, ann, "POST", "availability/preview", {"items": wanted})).json()["items"]
        case = next(each for each in seen if (each["country"], each["platform"]) == ("FR", "macos"))
        assert (case["before"]["allowed"], case["before"]["blocked_by"]) == (False, "country")
        assert case["before"]["text"]["fr"].startswith("Nous commençons")
        assert case["after"]["allowed"]
        other = next(each for each in seen if (each["country"], each["platform"]) == (None, "macos"))
        assert other["before"] == other["after"]
        assert not (await told(inside, at_home))["allowed"], "a preview changes nothing"

        doors = (await put(inside, ann, *wanted)).json()
        assert doors["by_file"]
        door = next(each for each in doors["items"] if each["name"] == "FR")
        assert (door["phase"], door["switched"], door["written"]) == ("open", True, "later")
        assert (await told(inside, at_home))["allowed"]
        assert (await last_act(inside, ann))[2] == "FR: open, windows: planned for 2027-04-01 00:00 UTC"
        assert (await told(inside, from_("US") | WINDOWS))["opens_at"] == APRIL_MS
        written = (tmp_path / switches.NAME).read_text()
        assert "[countries.FR]" in written
        assert (tmp_path / switches.NAME).stat().st_mode & 0o077 == 0

        assert (await put(inside, ann)).status_code == 200
        assert not (await told(inside, at_home))["allowed"]
        assert not (tmp_path / switches.NAME).exists()
        assert (await last_act(inside, ann))[2] == "FR: as the file says, windows: as the file says"

    founded(tmp_path, story)


@pytest.mark.parametrize(
    "wanted",
    [
        [switch("FR", "planned")],
        [switch("FR", "open", APRIL_MS)],
        [switch("FR", "open"), switch("FR", "later")],
        [{"what": "platform", "name": "FR", "phase": "open"}],
        [{"what": "country", "name": "macos", "phase": "open"}],
        [switch("FR", "planned", 2**52)],
        [switch("FRA", "open")],
        [switch("FR", "ajar")],
    ],
    ids=["no date", "a date", "twice", "no platform", "no country", "too late", "three letters", "no phase"],
)
def test_what_cannot_be_switched_is_refused_and_nothing_changes(tmp_path: Path, wanted: Any) -> None:
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        assert_problem(await put(inside, ann, *wanted), 422, "invalid")
        preview = await ask(inside, ann, "POST", "availability/preview", {"items": wanted})
        assert_problem(preview, 422, "invalid")
        assert (await get(inside, ann, "acts")).json()["items"] == []
        assert not (tmp_path / switches.NAME).exists()

    run(tmp_path, story)


def test_switches_over_nothing_touch_only_what_they_name_and_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / switches.NAME
    wanted = {
        ("platform", "linux"): Door("later"),
        ("country", "FR"): Door("planned", APRIL_MS),
        ("country", "elsewhere"): Door("beta"),
        ("platform", "other"): Door("unknown"),
    }
    switches.write(path, wanted)
    assert switches.read(path) == wanted
    chart = switches.laid_over(None, wanted)
    cases = {("FR", "macos"): False, ("US", "macos"): False, ("FR", "linux"): False}
    for (country, platform), allowed in cases.items():
        assert decide(chart, country, platform, Who(), now_ms=0).allowed is allowed
    only = switches.laid_over(None, {("platform", "linux"): Door("later")})
    assert decide(only, "US", "macos", Who(), now_ms=0).allowed
    assert not decide(only, "US", "linux", Who(), now_ms=0).allowed


def test_who_waits_is_invited_an_account_at_once_anybody_else_by_a_mail(tmp_path: Path) -> None:
    async def story(inside: Inside, sink: Any) -> None:
        ann = await make_operator(inside, "ann", who=await entered(inside, "ann", from_("US") | MAC))
        in_gb, in_fr = from_("GB") | MAC, from_("FR") | MAC
        bob = await entered(inside, "bob", from_("US") | MAC)
        await inside.client.put("/api/v1/account/country", json={"country": "GB"}, headers=bob)
        path = "/api/v1/availability/waiting"
        for head, form in (
            (bob | in_gb, {}),
            (in_gb, {"mail": "zoe@mail.example"}),
            (in_fr, {"mail": "y@mail.example"}),
        ):
            assert (await inside.client.post(path, json=form, headers=head)).status_code == 200
        shown = (await get(inside, ann, "waiting")).json()
        rows = {each["name"] or each["mail"]: each for each in shown["items"]}
        assert {name: row["opens"] for name, row in rows.items()} == {
            "bob": True,
            "z…@mail.example": True,
            "y…@mail.example": False,
        }
        assert "zoe@" not in json.dumps(shown)
        assert {(each["country"], each["people"]) for each in shown["places"]} == {("GB", 2), ("FR", 1)}

        def invite(name: str) -> Any:
            return ask(inside, ann, "POST", f"waiting/{rows[name]['id']}/invite")

        assert_problem(await invite("y…@mail.example"), 403, "not-available-yet")
        assert (await invite("bob")).status_code == 204
        assert_problem(await invite("bob"), 404, "not-found")
        assert (await told(inside, bob | in_gb))["allowed"]
        assert (await invite("z…@mail.example")).status_code == 204
        await until(inside, lambda: len(sink.mails) == 1)
        mail = sink.mails[0]
        assert mail["to"] == "zoe@mail.example"
        code = mail.get_content().partition("#ticket=")[2].split()[0]
        assert (await sign_up(inside, "zoe", in_gb, ticket=code)).status_code == 201
        await at_rest(inside)
        left = (await get(inside, ann, "waiting")).json()
        assert [each["mail"] for each in left["items"]] == ["y…@mail.example"]
        stored = await inside.house.database.read(lambda c: c.execute(text("SELECT * FROM waiting")).all())
        assert "zoe@" not in str(stored), "the address is forgotten"
        assert (await last_act(inside, ann))[0] == "invite"
        states = [each["state"] for each in (await get(inside, ann, "invites")).json()["items"]]
        assert states == ["used", "used"]

    async def main() -> None:
        async with mail_sink() as sink:
            settings = {"smtp_url": sink.url, "mail_from": "restante@post.example", **BEHIND}

            async def inner(inside: Inside) -> None:
                await story(inside, sink)

            await asyncio.to_thread(
                founded, tmp_path, inner, BETA, origins=("https://post.example",), **settings
            )

    asyncio.run(main())


def test_invites_are_made_listed_and_taken_back(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        made = (await ask(inside, ann, "POST", "invites", INVITE)).json()
        listed = (await get(inside, ann, "invites")).json()["items"]
        (invite,) = [each for each in listed if each["id"] == made["id"]]
        assert (invite["state"], invite["note"], invite["uses"], invite["most_uses"]) == (
            "open",
            "for Bob",
            0,
            2,
        )
        assert made["code"] not in json.dumps(listed)
        bob = await inside.client.post("/api/v1/account/invite", json={"ticket": made["code"]}, headers=ann)
        assert bob.status_code == 200
        assert (await ask(inside, ann, "DELETE", f"invites/{made['id']}")).status_code == 204
        assert_problem(await ask(inside, ann, "DELETE", f"invites/{made['id']}"), 404, "not-found")
        assert await last_act(inside, ann) == ("revoke", made["id"], "")
        for wrong in ({"uses": 0}, {"days": 0}, {"note": "x" * 201}):
            assert_problem(await ask(inside, ann, "POST", "invites", INVITE | wrong), 422, "invalid")

    run(tmp_path, story)


def test_work_that_failed_is_counted_and_tried_again(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await make_operator(inside, "ann")
        later = inside.clock.now_ms() + 3_600_000

        def fill(connection: Any) -> None:
            for subject in ("9999:en:zoe@mail.example", "8888:en:yan@mail.example"):
                queue.enqueue(connection, "mail-ticket", subject, due_ms=later)
            connection.execute(text("UPDATE outbox SET attempts = 3 WHERE subject LIKE '%zoe%'"))

        await inside.house.database.write(fill)
        answer = await get(inside, ann, "work")
        (seen,) = [each for each in answer.json()["items"] if each["kind"] == "mail-ticket"]
        assert (seen["count"], seen["failing"], seen["attempts"]) == (2, 1, 3)
        assert "zoe" not in answer.text
        await ask(inside, ann, "POST", "work", {"kind": "mail-ticket"})
        assert await last_act(inside, ann) == ("retry", "mail-ticket", "1")
        await at_rest(inside)
        rows = await inside.house.database.read(
            lambda c: c.execute(text("SELECT subject FROM outbox WHERE kind = 'mail-ticket'")).scalars().all()
        )
        assert rows == ["8888:en:yan@mail.example"], "what failed was tried, what only waits was not"

    run(tmp_path, story)


# At the terminal


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a server that had two accounts."""

    async def story(inside: Inside) -> None:
        await make_operator(inside, "ann")
        await inside.sign_up("bob")

    run(tmp_path, story)
    return tmp_path


def terminal(capsys: pytest.CaptureFixture[str], data: Path, *words: str) -> Any:
    assert command(["operator", *words, "--data", str(data), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_terminal_shows_people_use_and_work(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [each["name"] for each in terminal(capsys, data, "people")] == ["ann", "bob"]
    assert [each["name"] for each in terminal(capsys, data, "people", "--like", "b")] == ["bob"]
    usage = terminal(capsys, data, "usage")
    assert (usage["accounts"], len(usage["days"])) == (2, 30)
    assert isinstance(terminal(capsys, data, "work"), list)
    assert command(["operator", "usage", "--data", str(data)]) == 0
    assert "2 mailboxes" in capsys.readouterr().out


def test_the_terminal_switches_and_it_stands_in_the_record(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(
        [
            "operator",
            "switches",
            "set",
            "FR",
            "planned",
            "--from",
            "2027-04-01",
            "--preview",
            "--data",
            str(data),
        ]
    )
    assert "FR" in capsys.readouterr().out
    assert not (data / switches.NAME).exists()
    doors = terminal(capsys, data, "switches", "set", "FR", "planned", "--from", "2027-04-01")
    (door,) = [each for each in doors["items"] if each["name"] == "FR"]
    assert (door["phase"], door["opens_at"], door["switched"]) == ("planned", APRIL_MS, True)
    record = terminal(capsys, data, "record")
    assert (record["whole"], record["items"][0]["operator"], record["items"][0]["act"]) == (
        True,
        "",
        "switch",
    )
    terminal(capsys, data, "switches", "undo", "FR")
    assert not (data / switches.NAME).exists()
    assert terminal(capsys, data, "work", "--retry", "push") == []
    assert terminal(capsys, data, "record")["items"][0]["act"] == "retry"
    for words in (("set", "FRA", "open"), ("set", "FR", "planned"), ("undo", "FR"), ("set",)):
        assert command(["operator", "switches", *words, "--data", str(data)]) == 2
        error, hint = capsys.readouterr().err.splitlines()
        assert error.startswith("error: ")
        assert hint.startswith("hint: ")


def test_the_terminal_lists_and_invites_who_waits(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "availability.toml").write_text(BETA)

    async def story(inside: Inside) -> None:
        answer = await inside.client.post(
            "/api/v1/availability/waiting", json={"mail": "zoe@mail.example"}, headers=from_("GB") | MAC
        )
        assert answer.status_code == 200, answer.text

    mail = {
        "smtp_url": "smtp://127.0.0.1:9",
        "mail_from": "a@post.example",
        "origins": ("https://post.example",),
    }
    run(data, story, **BEHIND, **mail)
    (row,) = terminal(capsys, data, "waiting", "--each")
    assert (row["mail"], row["opens"]) == ("z…@mail.example", True)
    assert terminal(capsys, data, "waiting", "--invite", str(row["id"])) == []
    assert terminal(capsys, data, "record")["items"][0]["act"] == "invite"
