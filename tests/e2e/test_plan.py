"""At the limit of a plan nothing is lost: the take is kept, the way on is shown, and it leaves once it was paid."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.server.commands.plans import payments
from tests.api.planned import PREMIUM, TRIAL
from tests.cli.person import Person
from tests.e2e.browsing import Visitors
from tests.e2e.mailing import befriend, camera_and_microphone, eventually, move_in, record, send
from tests.serving import Server

PLANS = TRIAL.replace("messages = 20", "messages = 0") + PREMIUM
WAY = '[payments]\nprovider = "manual"\nwords = {en = "Send it to IBAN XX00 0000.", fr = "Virez."}\n'


def keep_one_beyond(house: Server, visitors: Visitors, folder: Path) -> tuple[Person, str]:
    """Claire, whose plan has no videos, records one for Joseph and looks for the way on; returns him, and her reference for paying."""
    claire, joseph = (Person(name, folder, house.url).sign_up() for name in ("claire", "joseph"))
    at_home = move_in(visitors, house, claire, camera_and_microphone(folder))
    at_home.visitor.witness.allow(r"status of 402.*/api/v1/uploads")
    befriend(at_home, "joseph")

    page = at_home.open("/record")
    page.get_by_text("You have sent the videos of your plan.").wait_for()  # before it hurts
    record(page)
    send(page, "joseph", caption="In spite of all")
    page.get_by_text("This one is kept; receiving stays free.").wait_for()
    assert joseph.inbox() == []

    page.get_by_role("link", name="See your plan").click()
    page.wait_for_url("**/plan")
    page.get_by_text("$4.99 a month").first.wait_for()
    page.get_by_role("button", name="Choose Premium").click()
    page.get_by_text("Send it to IBAN XX00 0000.").wait_for()
    reference = page.locator(".reference strong").inner_text()
    assert re.fullmatch(r"[A-Z2-7]{4}-[A-Z2-7]{4}", reference)
    return joseph, reference


@pytest.fixture
def plans_file(tmp_path: Path) -> Path:
    file = tmp_path / "plans.toml"
    file.write_text(PLANS + WAY)
    return file


def test_a_take_beyond_the_plan_is_kept_and_the_way_on_is_shown(
    new_house: Callable[..., Server], visitors: Visitors, plans_file: Path, tmp_path: Path
) -> None:
    joseph, _ = keep_one_beyond(new_house(RESTANTE_PLANS=str(plans_file)), visitors, tmp_path)
    assert joseph.inbox() == []


@pytest.mark.long
def test_a_take_beyond_the_plan_leaves_when_it_is_paid(
    new_house: Callable[..., Server],
    visitors: Visitors,
    plans_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    house = new_house(RESTANTE_PLANS=str(plans_file))
    joseph, reference = keep_one_beyond(house, visitors, tmp_path)

    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("RESTANTE_PLANS", str(plans_file))
    try:
        assert payments(reference, "premium", reference="bank 17", data=house.data, json=True) == 0
    finally:
        monkeypatch.undo()
    assert json.loads(capsys.readouterr().out)["account"] == "claire"

    assert eventually(joseph.inbox, within_s=100)  # it asks again by itself, within a minute
    assert [item["caption"] for item in joseph.inbox()] == ["In spite of all"]
