"""Reports of abuse: taken when they are proved, also after the message is gone; and what the operator does with them."""

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from restante.cli.main import run as command
from restante.protocol.encoding import b64
from restante.server.abuse import queries
from restante.server.commands.reports import reports
from restante.signing import container
from restante.signing.keys import SigningKey
from tests.api.household import DAY_MS, Household, TurnedClock, parcel_for
from tests.api.parcels import (
    Parcel,
    delete,
    get,
    inbox,
    make_parcel,
    make_upload,
    new_key,
    post,
    send,
    send_video,
    until,
)
from tests.api.people import Person, assert_problem, make_account, new_client
from tests.databases import environment_of, looking_into
from tests.serving import Server, serving

MESSAGE_KEY = "AGE-SECRET-KEY-1" + "Q" * 58


def disclosed(
    sender: Person, to: Person, parcel: Parcel, *, key: SigningKey | None = None, **changes: Any
) -> bytes:
    """The plaintext of an envelope, as a recipient has it after opening; keywords spoil it."""
    fields = {
        "id": parcel.id,
        "kind": parcel.message["kind"],
        "created": 1,
        "to": {"acct": to.acct, "fp": "x"},
        "from": {"acct": sender.acct, "name": "Eve"},
        "key": MESSAGE_KEY,
        "details": parcel.message["details_sha256"],
        **changes,
    }
    return container.write(container.Type.ENVELOPE, fields, key=key or sender.key)


def report(reporter: Person, parcel: Parcel, raw: bytes, **fields: Any):
    form = {
        "message": parcel.id,
        "reason": "harassment",
        "container": b64(raw),
        "note": "again and again",
        **fields,
    }
    return reporter.client.post("/api/v1/reports", json=form)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory):
    """A server whose operator says where to write; reports are not counted."""
    with serving(
        tmp_path_factory.mktemp("office") / "data",
        RESTANTE_ABUSE_CONTACT="abuse@post.example",
        RESTANTE_RATE_REPORTS="10000/1s",
    ) as running:
        yield running


@pytest.fixture
def eve(office: Server) -> Person:
    return make_account(office.url)


@pytest.fixture
def bob(office: Server) -> Person:
    return make_account(office.url)


def operate(office: Server, capsys: pytest.CaptureFixture[str], *words: str, **options: Any) -> Any:
    """Runs `restante operator reports …` in this process, on the data of the running server."""
    assert reports(*words, data=office.data, json=True, **options) == 0  # type: ignore[arg-type]
    return json.loads(capsys.readouterr().out)


def test_a_report_is_taken_once_and_reaches_the_queue(office, eve, bob, capsys):
    parcel = send(eve, bob)
    raw = disclosed(eve, bob, parcel)
    first = report(bob, parcel, raw)
    assert first.status_code == 201, first.text
    assert first.json()["contact"] == "abuse@post.example"
    assert report(bob, parcel, raw).json()["id"] == first.json()["id"]
    shown = operate(office, capsys, "show", first.json()["id"])
    assert (shown["reporter"], shown["sender"], shown["reason"]) == (bob.name, eve.name, "harassment")
    assert shown["note"] == "again and again"
    assert first.json()["id"] in [each["id"] for each in operate(office, capsys, "list")]


def test_a_forged_report_is_refused(eve, bob, office):
    carl = make_account(office.url)
    parcel, other = send(eve, bob), send(eve, bob)
    forged = {
        "signed by the reporter": disclosed(eve, bob, parcel, key=bob.key),
        "from somebody else": disclosed(carl, bob, parcel),
        "from somebody else by name only": disclosed(eve, bob, parcel, **{"from": {"acct": carl.acct}}),
        "unsigned, as if by a caller": container.write(
            container.Type.ENVELOPE,
            {
                "id": parcel.id,
                "to": {"acct": bob.acct},
                "from": None,
                "key": MESSAGE_KEY,
                "details": parcel.message["details_sha256"],
            },
            key=None,
        ),
        "other details": disclosed(eve, bob, parcel, details=other.message["details_sha256"]),
        "details that are none": disclosed(eve, bob, parcel, details="x"),
        "another message": disclosed(eve, bob, other),
        "to somebody else": disclosed(eve, carl, parcel),
        "cut": disclosed(eve, bob, parcel)[:-1],
        "with a letter changed": disclosed(eve, bob, parcel).replace(b"Eve", b"Eva"),
        "an account record": bob.record,
        "nothing of the kind": b"hello",
    }
    for what, raw in forged.items():
        answer = report(bob, parcel, raw)
        assert answer.status_code == 422, what
        assert answer.json()["code"] == "report-unproven", what
    for place in range(40, 400, 9):
        raw = bytearray(disclosed(eve, bob, parcel))
        raw[place] ^= 1
        assert_problem(report(bob, parcel, bytes(raw)), 422, "report-unproven")
    assert report(bob, parcel, disclosed(eve, bob, parcel)).status_code == 201  # the control


def test_only_who_received_it_reports_it(office, eve, bob):
    carl, parcel = make_account(office.url), send(eve, bob)
    for person in (carl, eve):
        assert_problem(report(person, parcel, disclosed(eve, person, parcel)), 404, "not-found")
    assert_problem(report(bob, make_parcel(bob), disclosed(eve, bob, parcel)), 404, "not-found")


@pytest.mark.parametrize("whose", ["me", "everyone"])
def test_a_deletion_does_not_undo_the_proof(eve, bob, whose):
    parcel = send_video(eve, bob)
    deleter = bob if whose == "me" else eve
    assert delete(deleter, parcel.id, whose).status_code == 204
    assert report(bob, parcel, disclosed(eve, bob, parcel)).status_code == 201
    unproven = send_video(eve, bob)
    delete(deleter, unproven.id, whose)
    lie = disclosed(eve, bob, unproven, details=parcel.message["details_sha256"])
    assert_problem(report(bob, unproven, lie), 422, "report-unproven")


def test_reports_are_limited(new_server):
    server = new_server(RESTANTE_RATE_REPORTS="1/600s")
    eve, bob = make_account(server.url), make_account(server.url)
    parcel = send(eve, bob)
    assert report(bob, parcel, disclosed(eve, bob, parcel)).status_code == 201
    assert_problem(report(bob, parcel, disclosed(eve, bob, parcel)), 429, "rate-limited")


def test_quarantine_hides_a_message_from_everybody_and_can_be_taken_back(office, eve, bob, capsys):
    video = os.urandom(5000)
    parcel, other = send_video(eve, bob, data=video), send(eve, bob)
    given = report(bob, parcel, disclosed(eve, bob, parcel)).json()["id"]
    operate(office, capsys, "quarantine", given, reason="threats")
    for person in (eve, bob):
        for path in ("", "/details"):
            answer = person.client.get(f"/api/v1/messages/{parcel.id}{path}")
            assert assert_problem(answer, 451, "message-quarantined")["detail"] == "threats"
        until(lambda who=person: who.client.get(f"/api/v1/messages/{parcel.id}/video").status_code == 451)
    assert [item["id"] for item in inbox(bob)["items"]] == [other.id]
    (tombstone,) = [item for item in inbox(bob, since=0)["items"] if item["id"] == parcel.id]
    assert tombstone["deleted_at"]
    assert not tombstone.get("envelope")
    operate(office, capsys, "dismiss", given, reason="a mistake")
    assert bob.client.get(f"/api/v1/messages/{parcel.id}/video").content == video
    assert inbox(bob, since=tombstone["change"])["items"][0]["envelope"]


def test_a_ban_ends_sessions_and_says_why_and_where_to_appeal(office, eve, bob, capsys):
    parcel, upload = send(eve, bob), make_upload(eve, b"x" * 500)
    given = report(bob, parcel, disclosed(eve, bob, parcel)).json()["id"]
    operate(office, capsys, "ban", given, reason="threats")
    until(lambda: eve.client.get("/api/v1/inbox").status_code == 401)
    again = eve.sign_in()
    assert again.status_code == 201  # what is theirs stays theirs
    eve.client.headers["authorization"] = f"Bearer {again.json()['token']}"
    assert eve.client.get("/api/v1/inbox").status_code == 200
    for refused in (post(eve, make_parcel(bob)), post(eve, make_parcel(bob, upload=upload), new_key())):
        problem = assert_problem(refused, 403, "account-banned")
        assert problem["detail"] == "Reason: threats. Appeals: abuse@post.example"
    operate(office, capsys, "dismiss", given, reason="appealed")
    assert post(eve, make_parcel(bob)).status_code == 201
    assert get(bob, parcel.id).status_code == 200


def test_a_ban_closes_guest_links_and_page_until_it_is_lifted(office, eve, bob, capsys):
    parcel = send(eve, bob)
    link, bearer = linked(eve, parcel)
    page = {"on": True, "access": "anyone"}
    assert eve.client.put("/api/v1/account/page", json=page).status_code == 200
    with new_client(office.url) as guest:
        seen = lambda: guest.get(f"/api/v1/links/{link}/envelope", headers=bearer).status_code  # noqa: E731
        found = lambda: guest.get(f"/api/v1/pages/{eve.name}").status_code  # noqa: E731
        assert (seen(), found()) == (200, 200)
        view = guest.post(f"/api/v1/links/{link}/opens", headers=bearer).json()["token"]
        given = report(bob, parcel, disclosed(eve, bob, parcel)).json()["id"]
        other, opens = linked(eve, send(eve, bob))
        operate(office, capsys, "ban", given, reason="threats")
        assert (seen(), found()) == (410, 404)
        watching = guest.get(f"/api/v1/links/{link}/details", headers={"authorization": f"Bearer {view}"})
        assert watching.status_code == 410
        assert guest.get(f"/api/v1/links/{other}/envelope", headers=opens).status_code == 410
        operate(office, capsys, "dismiss", given, reason="appealed")
        assert (seen(), found()) == (200, 200)


def linked(owner: Person, parcel: Parcel) -> tuple[str, dict[str, str]]:
    """A guest link to a message, and the header that opens it."""
    secret = os.urandom(32)
    form = {
        "bearer_sha256": b64(hashlib.sha256(secret).digest()),
        "envelope": b64(parcel.sent),
        "may_save": True,
        "may_answer": False,
    }
    answer = owner.client.post(f"/api/v1/messages/{parcel.id}/links", json=form)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], {"authorization": f"Bearer {b64(secret)}"}


def test_a_report_outlives_the_account_that_made_it_without_its_name(office, eve, bob, capsys):
    waiting, decided = send(eve, bob), send(eve, bob)
    ids = [report(bob, each, disclosed(eve, bob, each)).json()["id"] for each in (waiting, decided)]
    operate(office, capsys, "quarantine", ids[1], reason="threats")
    assert bob.client.delete("/api/v1/account").status_code == 204
    until(lambda: eve.client.get(f"/api/v1/accounts/{bob.name}/records").status_code == 404)
    shown = [operate(office, capsys, "show", each) for each in ids]
    assert [(each["reporter"], each["sender"]) for each in shown] == [(None, eve.name)] * 2
    assert [each["note"] for each in shown] == ["again and again", ""]
    with looking_into(office.data) as database:
        sizes = "SELECT id, length(container) FROM reports WHERE account_id IS NULL"
        kept = {row[0]: row[1] for row in database.execute(sizes)}
    assert kept[ids[0]] > 100
    assert kept[ids[1]] == 0
    operate(office, capsys, "ban", ids[0], reason="threats")
    until(lambda: eve.client.get("/api/v1/inbox").status_code == 401)
    for each in ids:
        operate(office, capsys, "dismiss", each, reason="appealed")


def test_what_is_written_out_is_the_message_and_no_other(office, eve, bob, capsys, tmp_path):
    video = os.urandom(3000)
    parcel = send_video(eve, bob, data=video)
    given = report(bob, parcel, disclosed(eve, bob, parcel)).json()["id"]
    operate(office, capsys, "show", given, out=tmp_path / "desk")
    written = {path.name: path for path in (tmp_path / "desk").iterdir()}
    assert written.keys() == {"video.age", "details.age", "key.txt"}
    assert written["video.age"].read_bytes() == video
    assert written["details.age"].read_bytes() == parcel.details
    assert written["key.txt"].read_text() == MESSAGE_KEY + "\n"
    assert {path.stat().st_mode & 0o777 for path in written.values()} == {0o600}


def test_what_is_done_at_the_terminal_stands_in_the_desks_record(office, eve, bob, capsys, tmp_path):
    parcel = send(eve, bob)
    given = report(bob, parcel, disclosed(eve, bob, parcel)).json()["id"]
    operate(office, capsys, "show", given)
    assert reports("ban", given, data=office.data) == 2, "a reason is missing"
    operate(office, capsys, "show", given, out=tmp_path / "desk")
    operate(office, capsys, "ban", given, reason="threats")
    operate(office, capsys, "dismiss", given, reason="appealed")
    with looking_into(office.data) as database:
        asked = "SELECT operator, act, note FROM desk_acts WHERE subject = ? ORDER BY seq"
        noted = database.execute(asked, (given,)).fetchall()
    assert noted == [("", "look", ""), ("", "ban", "threats"), ("", "dismiss", "appealed")]
    assert command(["operator", "record", "--data", str(office.data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["whole"]


def test_evidence_is_kept_until_it_is_decided(tmp_path, capsys):
    home = Household(tmp_path, TurnedClock())
    ann, eve = home.account("ann"), home.account("eve")
    for decided in (True, False):
        upload = home.upload(eve, b"evidence")
        parcel = parcel_for(["ann"], upload=upload)
        home.send(eve, parcel)
        if decided:
            _plant(home, ann, parcel.message.id, upload)
        home.run(home.house.messages.delete_for_everyone(eve, parcel.message.id))
        home.clock.pass_ms(DAY_MS)
        home.sweep()
        assert (upload in home.blobs()) is decided
    assert reports("dismiss", "rep_a", data=tmp_path, reason="nothing") == 0
    home.clock.wall_ms = max(home.clock.wall_ms, int(4e12))
    home.sweep()
    assert home.blobs() == {}
    home.close()


def _plant(home: Household, reporter: Any, message_id: str, upload: str) -> None:
    row = {
        "id": "rep_aaaa",
        "account_id": reporter.account_id,
        "message_id": message_id,
        "sender_id": None,
        "sender": "",
        "upload_id": upload,
        "reason": "other",
        "note": "",
        "container": b"",
        "details": b"",
        "received_at": 0,
        "created_at": 0,
        "state": "open",
        "decision": "",
    }
    home.run(home.house.database.write(lambda connection: queries.add(connection, row)))


def test_the_operator_is_told_what_is_missing(tmp_path, office, capsys):
    cases = [
        ({"data": tmp_path}, ("list",), "there is no server's data"),
        ({"data": office.data}, ("show",), "a report's id is missing"),
        ({"data": office.data}, ("show", "rep_zzzz"), "no report, or more than one"),
    ]
    for options, words, sentence in cases:
        assert reports(*words, **options) == 2  # type: ignore[arg-type]
        told = capsys.readouterr().err
        assert told.startswith("error: ")
        assert sentence in told
        assert "hint: " in told


def test_the_command_is_found(office):
    command = [
        sys.executable,
        "-m",
        "restante.cli.main",
        "operator",
        "reports",
        "list",
        "--data",
        str(office.data),
    ]
    told = {**os.environ, **environment_of(office.data)}
    ended = subprocess.run(command, env=told, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
