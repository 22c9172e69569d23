"""A command line whose server lies in each of the ways of `table.py`: it says so by name, or comes to no harm."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restante.client.account import now_ms
from restante.client.accounts import open_account, sign_in_by_passphrase
from restante.client.downloads import plaintext
from restante.client.errors import ClientError
from restante.client.events import follow
from restante.client.incoming import Mailbox
from restante.client.opened import Item
from restante.client.outgoing import resume, send
from restante.client.people import People
from restante.client.profile import Profile
from restante.client.retry import Retry
from restante.signing.errors import ProtocolError
from tests.cli.person import Person
from tests.lies.lies import WITHHELD, Lie
from tests.lies.stage import Stage, staged
from tests.lies.table import ELSEWHERE, TABLE, UNHARMED, Row, Step, rows
from tests.serving import ROOT, Server

HOUR_MS = 3_600_000
_profiles = itertools.count()


@pytest.fixture(scope="module")
def stage(
    server: Server,
    ann: Person,
    bob: Person,
    glimpse: Path,
    grain: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("mallory")
    mallory = Person(f"mallory-{secrets.token_hex(4)}", folder, server.url).sign_up()
    with staged(server, (ann, bob, mallory), glimpse) as stage:
        bob.send(ann.name, glimpse)  # from here on bob knows ann's key
        stage.other = ann.send(bob.name, grain, "--caption", "known")
        stage.known.add(stage.other)
        yield stage
        assert stage.trap.seen == []


@pytest.fixture(scope="module")
def film(stage: Stage, grain: Path) -> Iterator[str]:
    """A message to bob with a video of several chunks, about which every lie of its kind is told."""
    left = stage.ann.send(stage.bob.name, grain)
    yield left
    stage.known.add(left)


def test_all_two_dozen_kinds_are_here_or_there() -> None:
    assert sorted({row.kind for row in TABLE} | set(ELSEWHERE)) == list(range(1, 25))
    assert all((ROOT / path).is_file() for path in ELSEWHERE.values())


@pytest.fixture(autouse=True)
def the_truth(stage: Stage) -> Iterator[None]:
    yield
    stage.man.tell_the_truth()


def under(stage: Stage, lie: Lie) -> None:
    told = lie(stage)
    stage.man.ask, stage.man.change = told.ask, told.change


def code_of(step: Callable[[], object]) -> str:
    """The code of what a step raises, which has a sentence, too."""
    try:
        step()
    except (ClientError, ProtocolError) as error:
        return error.code if str(error) else "without words"
    return UNHARMED


@pytest.mark.parametrize("row", rows(Step.WRITE), ids=str)
def test_a_contacts_keys(stage: Stage, row: Row) -> None:
    def write() -> None:
        with open_account(stage.bob.profile, url=stage.man.url) as account:
            People(account).recipients([stage.ann.name])

    under(stage, row.lie)
    assert code_of(write) in row.cli.split("|")
    assert stage.bob.run("send", stage.ann.name, stage.clip, "--server", stage.man.url).failed().err
    assert stage.bob.drafts == [], "nothing is made ready for a wrong key"
    stage.man.tell_the_truth()
    assert code_of(write) == UNHARMED


@pytest.mark.parametrize("row", rows(Step.MEET), ids=str)
def test_somebodys_link(stage: Stage, row: Row) -> None:
    acct, named = stage.invitation

    def meet() -> None:
        with open_account(stage.bob.profile, url=stage.man.url) as account:
            People(account).add(acct, named=named)

    under(stage, row.lie)
    assert code_of(meet) in row.cli.split("|")
    link = f"{stage.man.url}/add/{acct}#fp.{named}"
    assert stage.bob.run("contacts", "add", link, "--server", stage.man.url).failed().err
    stage.man.tell_the_truth()
    assert code_of(meet) == UNHARMED


@pytest.mark.parametrize("row", rows(Step.LIST), ids=str)
def test_what_is_listed(stage: Stage, row: Row) -> None:
    under(stage, row.lie)
    left = stage.leaves(f"under {row}")
    if row.lie is WITHHELD:
        stage.known.add(stage.leaves("the next one"))

    def listed() -> dict[str, tuple[str, str | None, int]]:
        with open_account(stage.bob.profile, url=stage.man.url) as account:
            return {item.id: told_of(item) for item in Mailbox(account).inbox()}

    try:
        codes = {code for code, _, _ in listed().values()}
    except ClientError as error:
        codes = {error.code}
    assert row.cli in codes
    shown = stage.bob.run("inbox", "--server", stage.man.url).err
    assert (row.cli == UNHARMED) == ("warning:" not in shown and "error:" not in shown)
    stage.man.tell_the_truth()
    code, sender, created = listed()[left]
    assert (code, sender) == (UNHARMED, stage.ann.name)
    assert abs(created - now_ms()) < HOUR_MS
    stage.known.add(left)


def told_of(item: Item) -> tuple[str, str | None, int]:
    """What is wrong with an item; who signed it, and when."""
    trouble = item.trouble or item.gap
    message = item.message
    code = trouble.code if trouble else UNHARMED
    return code, message and message.sender, message.opened.fields.created if message else 0


@pytest.mark.parametrize("row", rows(Step.WATCH), ids=str)
def test_a_video(stage: Stage, row: Row, film: str, tmp_path: Path) -> None:
    left = film
    under(stage, row.lie)
    path = tmp_path / "saved.mp4"

    def watch() -> None:
        with open_account(stage.bob.profile, url=stage.man.url) as account:
            message = Mailbox(account).find(left).require()
            assert b"".join(plaintext(account.session, message))

    assert code_of(watch) == row.cli
    refused = stage.bob.run("save", left, "-o", path, "--server", stage.man.url)
    assert (refused.code == 0) == (row.cli == UNHARMED)
    assert path.exists() == (row.cli == UNHARMED)
    stage.man.tell_the_truth()
    assert code_of(watch) == UNHARMED


@pytest.mark.parametrize("row", rows(Step.SIGN_IN), ids=str)
def test_a_sign_in(stage: Stage, row: Row, tmp_path: Path) -> None:
    def sign_in() -> None:
        profile = Profile.at(tmp_path / str(next(_profiles)))
        sign_in_by_passphrase(profile, stage.man.url, stage.bob.name, stage.bob.passphrase).close()

    under(stage, row.lie)
    assert code_of(sign_in) == row.cli
    stage.man.tell_the_truth()
    if row.cli != UNHARMED:
        assert code_of(sign_in) == UNHARMED


@pytest.mark.parametrize("row", rows(Step.OPEN), ids=str)
def test_an_opening(stage: Stage, row: Row) -> None:
    def look() -> None:
        with open_account(stage.bob.profile, url=stage.man.url) as account:
            hints = follow(account.session)
            heard = [next(hints).kind for _ in range(3 if row.kind == 24 else 1)]
            assert heard[0] == "connected"
            hints.close()
            assert {item.state for item in Mailbox(account).inbox()} <= {"stored", "delivered", "played"}

    under(stage, row.lie)
    assert code_of(look) == row.cli
    stage.man.tell_the_truth()
    if row.kind != 24:
        assert code_of(look) == UNHARMED


@pytest.mark.parametrize("row", rows(Step.SEND), ids=str)
def test_an_upload(stage: Stage, row: Row, grain: Path) -> None:
    def bring() -> None:
        with open_account(stage.bob.profile, url=stage.man.url) as account:
            account.session.retry = Retry(patience_s=5)
            sent = resume(account) if stage.bob.drafts else send(account, [stage.ann.name], grain)
        with stage.ann.account as account:
            message = Mailbox(account).find(sent.id).require()
            assert b"".join(plaintext(account.session, message))

    under(stage, row.lie)
    assert code_of(bring) == row.cli
    stage.man.tell_the_truth()
    assert code_of(bring) == UNHARMED
