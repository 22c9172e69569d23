"""Being told of news while no page is open; and what is the owner's own: stored, taken along as a file, deleted."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect

from restante.client import importing
from restante.client.archive import Archive
from restante.protocol.limits import SHARD_BYTES
from tests.api.outside import Browser, in_a_thread, receiving
from tests.cli.person import Person
from tests.e2e.browsing import Visitors, axe_violations, no_reports
from tests.e2e.mailbox import sign_in
from tests.e2e.mailing import NETWORK, NO_NOTES, eventually, small_clip
from tests.footage import Judged
from tests.serving import Server, serving

SUBSCRIBED = """({ endpoint, p256dh, auth }) => {
  // There is no push service behind a browser without a screen: one of the test's own stands in its place.
  let made = null;
  const toJSON = () => ({ endpoint, keys: { p256dh, auth } });
  PushManager.prototype.getSubscription = async () => made;
  PushManager.prototype.subscribe = async options => {
    const unsubscribe = async () => { made = null; return true };
    return made = { toJSON, unsubscribe, options: { applicationServerKey: options.applicationServerKey.buffer } };
  };
}"""
SHOWN = """async () => {
  const { active } = await navigator.serviceWorker.ready;
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration.getNotifications()).map(({ title, body, tag, lang }) => [title, body, tag, lang]);
}"""
NO_PICKER = "delete window.showSaveFilePicker"
"""As in browsers that let nobody choose a place; the other way ends in a window of the system, which no test can press."""


@pytest.fixture(scope="module")
def house(webapp: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that sends push messages to this machine, too."""
    data = tmp_path_factory.mktemp("house") / "data"
    with serving(data, RESTANTE_PRIVATE_TARGETS="allow") as server, no_reports(server):
        yield server


@pytest.fixture(scope="module")
def people(house: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Person, Person]:
    folder = tmp_path_factory.mktemp("people")
    return Person("fay", folder, house.url).sign_up(), Person("gus", folder, house.url).sign_up()


def registration_of(page: Page, session: CDPSession, url: str) -> str:
    """The id by which the browser knows the app's service worker."""
    found: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(
            each["registrationId"]
            for each in told["registrations"]
            if each["scopeURL"].startswith(f"{url}/") and not each["isDeleted"]  # a browser is many visitors'
        ),
    )
    session.send("ServiceWorker.enable")
    # What a browser tells by itself is heard only while it is spoken with.
    eventually(lambda: page.evaluate("1") and found)
    return found[-1]


def test_a_push_message_of_the_server_becomes_a_notice(
    house: Server, people: tuple[Person, Person], visitors: Visitors, tmp_path: Path
) -> None:
    (fay, gus), browser = people, Browser()
    with in_a_thread(receiving) as service:
        visitor = visitors.arrive(house, permissions=["notifications"], locale="fr-FR")
        visitor.witness.allow(NO_NOTES)
        form = browser.subscription(f"{service.url}/for/fay")
        visitor.context.add_init_script(f"({SUBSCRIBED})({json.dumps(form)})")
        page = visitor.open("/sign-in")
        page.get_by_label("Votre nom ici").fill("fay")
        page.get_by_label("Phrase de passe").fill(fay.passphrase)
        page.get_by_role("button", name="Ouvrir ma boîte").click()
        page.wait_for_url("**/inbox")
        page.goto(f"{visitor.url}/told")
        page.get_by_role("switch", name="Me prévenir dans ce navigateur").click()
        expect(page.get_by_role("switch")).to_be_checked()
        assert axe_violations(page) == []
        gus.send("fay", small_clip(tmp_path))
        (asked,) = eventually(lambda: service.asked)
        hint = browser.open(asked.body).decode()
        assert json.loads(hint)["cause"] in {"message", "request"}
        session = visitor.context.new_cdp_session(page)
        origin, registration = visitor.url, registration_of(page, session, visitor.url)

        def shown() -> object:
            """After both were delivered, once more each time: a worker that is only waking up may miss one."""
            for data in (hint, ""):
                pushed = {"origin": origin, "registrationId": registration, "data": data}
                session.send("ServiceWorker.deliverPushMessage", pushed)
            return page.evaluate(SHOWN)

        title = "Quelque chose vous attend"
        expected = [[title, "Ouvrez votre boîte pour le voir.", "news", "fr"]]
        eventually(lambda: shown() == expected)
        page.get_by_role("switch").click()
        expect(page.get_by_role("switch")).not_to_be_checked()
        gus.send("fay", small_clip(tmp_path))
        page.get_by_role("link", name="2 en attente").first.wait_for()
        assert len(service.asked) == 1


def opened(folder: Path, name: str) -> bytes:
    """By the stock program, with the key that lies beside it."""
    command = ["age", "-d", "-i", folder / "key.txt", folder / name]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


def export(page: Page, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export everything").click()
    download.value.save_as(path)
    page.get_by_text("Everything is written").wait_for()
    assert page.get_by_text("could not be written").count() == 0
    return path


def at_mine(house: Server, visitors: Visitors, owner: Person) -> Page:
    """The page with all that is theirs, in a browser that lets nobody choose a place for files."""
    visitor = visitors.arrive(house)
    visitor.witness.allow(NO_NOTES)
    visitor.witness.allow(NETWORK)
    visitor.context.add_init_script(NO_PICKER)
    page = visitor.open("/sign-in")
    sign_in(page, owner.name, owner.passphrase)
    page.wait_for_url("**/inbox")
    page.goto(f"{visitor.url}/mine")
    return page


@pytest.mark.long
def test_another_house_goes_on_with_what_the_browser_exported(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    hal, ivy = (Person(name, tmp_path, house.url).sign_up() for name in ("hal", "ivy"))
    film = ivy.send("hal", small_clip(tmp_path), "--caption", "taken along")
    ivy.ok("reply", hal.send("ivy", small_clip(tmp_path)), "--text", "so are words")
    archive = export(at_mine(house, visitors, hal), tmp_path / "all.zip")
    expected = {item["id"] for item in hal.inbox()}
    with serving(tmp_path / "elsewhere", RESTANTE_SERVER_NAME="new.example") as elsewhere:
        there = Person("hal", tmp_path, elsewhere.url, "there")
        words = ("import", archive, "--server", elsewhere.url, "--json")
        told = there.ok(*words, RESTANTE_PASSPHRASE=hal.passphrase).out
        report = json.loads(told[told.rindex("\n{") :])
        assert (report["acct"], report["failed"]) == ("hal@new.example", [])
        assert report["shards"] >= 1
        found = {item["id"]: item for item in there.inbox()}
        assert found.keys() == expected
        assert (found[film]["caption"], found[film]["from"]) == ("taken along", "ivy")
        there.ok("save", film, "-o", tmp_path / "film.mp4")
        assert Judged(tmp_path / "film.mp4").codecs == ["h264", "aac"]


def test_everything_is_taken_along_and_the_mailbox_is_deleted(
    house: Server, people: tuple[Person, Person], visitors: Visitors, tmp_path: Path
) -> None:
    """The last test of this file: afterwards there is one person less."""
    fay, gus = people
    taken_back = gus.send("fay", small_clip(tmp_path), "--caption", "gone again")
    gus.send("fay", small_clip(tmp_path), "--caption", "one")
    fay.send("gus", small_clip(tmp_path), "--caption", "mine")
    gus.ok("delete", taken_back, "--for-everyone")
    page = at_mine(house, visitors, fay)
    page.get_by_role("listitem").filter(has_text="gus").filter(has_text="you left 1").wait_for()
    assert axe_violations(page) == []
    judge(export(page, tmp_path / "all.zip"), fay, tmp_path / "unpacked")
    page.get_by_role("link", name="What was deleted").click()
    page.get_by_role("listitem").filter(has_text="gus took a message back").wait_for()
    page.go_back()
    delete(page)
    page.get_by_text("Your mailbox is deleted.").wait_for()
    assert fay.run("inbox").code == 1
    eventually(lambda: gus.ok("inbox", "--json").json == [])


def delete(page: Page) -> None:
    """By its name; another one is refused."""
    page.get_by_role("button", name="Delete my mailbox").click()
    dialog = page.get_by_role("dialog")
    for typed in ("gus", "fay"):
        dialog.get_by_label("Type fay to delete it").fill(typed)
        dialog.get_by_role("button", name="Delete it for good").click()
        if typed == "gus":
            dialog.get_by_text("This is another name.").wait_for()


def judge(archive: Path, owner: Person, folder: Path) -> None:
    """By programs that know nothing of ours, and by what another server takes over."""
    with zipfile.ZipFile(archive) as packed:
        assert packed.testzip() is None
        packed.extractall(folder)
    messages = sorted(folder.glob("msg_*"))
    captions = set()
    for message in messages:
        details = json.loads(opened(message, "details.age"))
        captions.add(details.get("caption"))
        sealed = message / "video.age"
        assert sealed.stat().st_size == details["video"]["size"]
        film = Judged(message / "video.mp4")
        assert film.codecs == ["h264", "aac"]
        assert abs(film.duration_s - 1.2) < 0.2
        assert opened(message, "video.age")[4:8] == b"ftyp"
        assert message.name in (message / "README.txt").read_text()
    assert captions >= {"one", "mine"}
    assert "gone again" not in captions
    account = folder / "account"
    told = {
        name: json.loads((account / f"{name}.json").read_text()) for name in ("contacts", "audit", "known")
    }
    assert any(acct.startswith("gus@") for acct in told["contacts"])
    assert {line["act"] for line in told["audit"]} >= {"deleted"}
    assert told["known"]["name"] == "fay"
    with Archive.at(archive) as packed:
        exported = importing.unlock(packed, passphrase=owner.passphrase)
        assert exported.acct.startswith("fay@")
        assert packed.messages() == [message.name for message in messages]
        shards = [name.removesuffix(".age") for name in packed.files("account/state")]
        assert "contacts" in shards
        for name in shards:
            sealed_shard = packed.read(f"account/state/{name}.age", limit=SHARD_BYTES)
            importing._open(exported, sealed_shard, name, importing._shape(name))
    shutil.rmtree(folder)
