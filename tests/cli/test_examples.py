"""The examples in the client library's docstrings, run as they stand against a real server."""

import doctest
import importlib
import pkgutil

import pytest

import restante.client
from restante.client.account import now_ms
from restante.client.drafts import DraftRecord, Drafts
from restante.client.outgoing import describe_source
from restante.crypto.age import X25519Identity
from restante.crypto.details import describe_video
from restante.crypto.video import VideoManifest
from restante.protocol import wire
from restante.protocol.ids import Prefix, new_id
from tests.cli.person import NO_KEYRING, Person
from tests.serving import serving

MODULES = sorted({module.name for module in pkgutil.iter_modules(restante.client.__path__)} - {"web_errors"})
"""All but a list of errors; of the others `errors` shows how they are used."""
RECEIVING = {"downloads", "export", "incoming", "opened", "opening", "saving", "watching"}
READING = {"forwarding", "keeping", "reports"}
"""Those for which it does not matter that another one read the same message before."""
ADDRESSES = {"calling": "page_url", "guest": "link_url"}


@pytest.fixture(scope="module")
def people(tmp_path_factory, module_server):
    folder = tmp_path_factory.mktemp("people")
    return [Person(name, folder, module_server.url).sign_up() for name in ("ada", "grace")]


@pytest.fixture(scope="module")
def module_server(tmp_path_factory):
    env = {"RESTANTE_ABUSE_CONTACT": "abuse@post.example", "RESTANTE_PROOF_COST": "10"}
    with serving(tmp_path_factory.mktemp("examples") / "data", **env) as running:
        yield running


@pytest.fixture(scope="module")
def reader(tmp_path_factory, module_server, people, clip):
    """Somebody with one message, which may be passed on."""
    person = Person("reader", tmp_path_factory.mktemp("reader"), module_server.url).sign_up()
    people[0].send(person.name, clip, "--may-forward")
    return person


@pytest.fixture(scope="module")
def page_url(people):
    return people[1].ok("page", "on", "--json").json["url"]


@pytest.fixture(scope="module")
def link_url(people, clip):
    return people[0].ok("link", "create", clip, "--json").json["url"]


def draft_of(account, source):
    """A draft as `outgoing` leaves it after the conversion, with an upload begun."""
    upload = account.session.call(
        "POST", "/api/v1/uploads", headers={"tus-resumable": "1.0.0", "upload-defer-length": "1"}
    )
    video = describe_video(VideoManifest(1, (bytes(32),)), type="video/mp4", ms=1000, w=16, h=16)
    record = DraftRecord(
        id=new_id(Prefix.MESSAGE),
        created=now_ms(),
        key=str(X25519Identity.generate()),
        to=("grace@localhost",),
        source=describe_source(source),
        caption=None,
        shorten="refuse",
        upload=upload.headers["location"].rpartition("/")[2],
        video=video,
    )
    return Drafts(account.profile.folder / "example-drafts").new(record)


@pytest.mark.parametrize("name", MODULES)
def test_an_example_does_what_it_shows(name, people, module_server, tmp_path, clip, monkeypatch, request):
    for key, value in NO_KEYRING.items():
        monkeypatch.setenv(key, value)
    ada, _ = people
    actor = ada
    if name in RECEIVING:
        actor = Person(f"reader-{name}", tmp_path, module_server.url).sign_up()
        ada.send(actor.name, clip, "--caption", "Hello")
    elif name in READING:
        actor = request.getfixturevalue("reader")
    module = importlib.import_module(f"restante.client.{name}")
    with actor.account as account:
        names = {
            **{key: value for key in IMPORTED for key, value in public(key)},
            **vars(module),
            "server_url": module_server.url,
            "folder": tmp_path / "folder",
            "account": account,
            "passphrase": actor.passphrase,
            "video": clip,
            "wire": wire,
        }
        (tmp_path / "folder").mkdir()
        if name in ("background", "posting"):
            names["draft"] = draft_of(account, clip)
        if name in ADDRESSES:
            names["url"] = request.getfixturevalue(ADDRESSES[name])
        example = doctest.DocTestParser().get_doctest(module.__doc__, names, name, module.__file__, 0)
        assert example.examples, f"{name} has no example"
        said = []
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
    assert result.failed == 0, "".join(said)


IMPORTED = ("profile", "people", "drafts", "incoming", "accounts")


def public(name):
    module = importlib.import_module(f"restante.client.{name}")
    return [(key, value) for key, value in vars(module).items() if not key.startswith("_")]
