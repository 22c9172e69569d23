"""Signing up where the server does not let in everybody: by an invite, by a mail address of its domains, from an open country."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from restante.cli import admitted
from restante.server.commands.invites import invites
from tests.api.outside import MailSink, in_a_thread, mail_sink
from tests.cli.person import Person, Result, until
from tests.serving import Server, serving

OPEN_IN_BRITAIN = """
[countries.GB]
phase = "open"
[countries.elsewhere]
phase = "later"
[platforms.other]
phase = "open"
[platforms.linux]
phase = "open"
"""


@dataclass(frozen=True)
class Works:
    """A server for people with an address at works.example who are at home in Britain, and its mail."""

    server: Server
    sink: MailSink
    folder: Path

    def sign_up(self, name: str, *words: object, **env: str) -> Result:
        person = Person(name, self.folder, self.server.url)
        return person.run("sign-up", name, "--server", self.server.url, "--json", *words, **env)


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("works")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "availability.toml").write_text(OPEN_IN_BRITAIN)
    with (
        in_a_thread(mail_sink) as sink,
        serving(
            folder / "data",
            RESTANTE_SIGN_UP="domains",
            RESTANTE_SIGN_UP_DOMAINS="works.example",
            RESTANTE_SMTP_URL=sink.url,
            RESTANTE_MAIL_FROM="post@works.example",
            RESTANTE_ORIGINS="https://works.example",
        ) as server,
    ):
        yield Works(server, sink, folder)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], str]]:
    """What somebody at a terminal types, one answer after the other."""
    answers: list[Callable[[], str]] = []
    monkeypatch.setattr(admitted, "can_ask", lambda: True)
    monkeypatch.setattr(admitted, "ask", lambda _: answers.pop(0)())
    return answers


def test_without_a_way_in_each_is_named(works: Works) -> None:
    refused = works.sign_up("nobody", "--country", "GB").failed()
    assert "only from people it knows" in refused.err
    assert "--mail ADDRESS" in refused.err
    assert "--invite CODE" in refused.err
    assert not Person("nobody", works.folder, "").profile.folder.exists()


def test_an_address_of_the_domains_lets_in_by_its_code(works: Works, typed: list[Callable[[], str]]) -> None:
    def wrong() -> str:
        until(lambda: works.sink.mails)
        return f"{(int(sent()) + 1) % 10**8:08}"

    def sent() -> str:
        return str(works.sink.mails[-1]["subject"]).split()[-1]

    typed += [lambda: "1234", wrong, lambda: f" {sent()[:4]} {sent()[4:]}"]
    made = works.sign_up("ann", "--mail", "ann@works.example", "--country", "gb", LC_ALL="fr_FR.UTF-8")
    assert made.code == 0, made.err
    assert typed == []
    assert "8 digits" in made.err
    assert "not the code" in made.err
    assert made.json["name"] == "ann"
    assert works.sink.mails[-1]["to"] == "ann@works.example"
    assert str(works.sink.mails[-1]["subject"]).startswith("Votre code"), "in the language of the terminal"


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "fr_CA.UTF-8"}, "fr"),
        ({"LC_ALL": "C", "LANG": "fr_FR"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "fr", "LANG": "de_DE"}, "fr"),
    ],
)
def test_the_language_is_the_terminals(environ: dict[str, str], language: str) -> None:
    assert admitted.language_of(environ) == language


def test_an_address_of_elsewhere_is_told_of_which(works: Works, typed: list[Callable[[], str]]) -> None:
    refused = works.sign_up("eve", "--mail", "eve@else.example", "--country", "GB").failed()
    assert "hint: Use an address of works.example." in refused.err
    malformed = works.sign_up("eve", "--mail", "eve").failed()
    assert "hint: A mail address is like ann@post.example." in malformed.err


def test_an_invite_lets_in_once_and_a_refusal_uses_nothing_up(
    works: Works, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invites("make", data=works.server.data, json=True) == 0
    made = json.loads(capsys.readouterr().out)
    elsewhere = works.sign_up("bob", "--invite", made["code"]).failed()
    assert "not open here yet" in elsewhere.err
    assert "--country GB" in elsewhere.err
    let_in = works.sign_up("bob", "--invite", made["address"], "--country", "GB")
    assert let_in.code == 0, let_in.err
    used_up = works.sign_up("cleo", "--invite", made["code"].upper(), "--country", "GB").failed()
    assert "used up" in used_up.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--invite", "abcd-efgh"), "not an invite"),
        (("--invite", ""), "not an invite"),
        (("--invite", "abcd-efgh-ijkl-mno1"), "not an invite"),
        (("--country", "Britain"), "not a country"),
        (("--country", "ÅÄ"), "not a country"),
        (("--mail", "ann@works.example"), "a terminal to ask for the code"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    nobody = Person("ann", tmp_path, "http://127.0.0.1:1")
    refused = nobody.run("sign-up", "ann", "--server", nobody.url, *words).failed(2)
    assert says in refused.err
    assert "hint: " in refused.err
