"""A server, or whoever sits before it, that answers wrongly, too much, elsewhere, or not at all."""

import itertools
import random
import time

import pytest

from restante.client.accounts import open_account
from restante.client.errors import ServerProblem, Unreachable
from restante.client.http import Session
from restante.client.outgoing import send
from restante.client.retry import Retry
from restante.client.tus import Sender, create
from tests.cli.middleman import middleman


@pytest.fixture
def man(server):
    with middleman(server.url) as man:
        yield man


def through(ann, man, *words):
    return ann.run(*words, "--server", man.url)


def test_honestly_passed_on_everything_works(ann, man, clip, tmp_path):
    assert through(ann, man, "send", ann.name, clip).code == 0
    assert through(ann, man, "save", "1", "-o", tmp_path / "saved.mp4").code == 0
    assert ("POST", "/api/v1/messages") in man.seen


@pytest.mark.parametrize("method", ["PATCH", "HEAD"])
def test_an_offset_beyond_what_was_sent_is_not_believed(ann, man, clip, method):
    swallowed = itertools.count()

    def lie(exchange):
        if exchange.method == "PATCH" and method == "HEAD" and next(swallowed) == 0:
            return None
        if exchange.method == method:
            return exchange.answering(exchange.status, upload_offset="99999999")
        return exchange

    man.change = lie
    before = len(ann.inbox())
    assert "never sent" in through(ann, man, "send", ann.name, clip).failed().err
    assert len(ann.inbox()) == before
    man.change = lambda exchange: exchange
    assert through(ann, man, "send", "--resume").code == 0


def test_an_offset_below_what_was_acknowledged_is_sent_again(ann, man):
    """The server forgets: what it lost comes again from the spool."""
    with ann.account as account:
        upload, data = create(account.session), bytes(range(256)) * 4096
        sender = Sender(account.session, upload, lambda at, size: data[at : at + size], retry=Retry())
        sender.advance(300_000, length=None)
        assert sender.upload.offset == 300_000
        fresh = create(account.session)
        again = Sender(
            account.session,
            type(upload)(fresh.id, offset=300_000, sent=300_000),
            lambda at, size: data[at : at + size],
            retry=Retry(),
        )
        while not again.is_finished:
            again.advance(len(data), length=len(data))
        assert again.upload.offset == len(data)


def test_lost_answers_make_one_message(person, man, clip, tmp_path):
    ann = person()
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    man.change = lambda exchange: None if chance.random() < 0.3 else exchange
    for _ in range(5):
        answer = through(ann, man, "send", ann.name, clip)
        if answer.code == 0:
            break
    man.change = lambda exchange: exchange
    assert answer.code == 0, answer.err
    assert len(ann.inbox()) == len(ann.sent()) == 1
    ann.ok("save", "1", "-o", tmp_path / "saved.mp4")


def test_a_sign_up_whose_answer_is_lost_is_still_a_sign_up(person, man):
    ann, lost = person(signed_up=False), itertools.count()
    ann.url = man.url
    man.change = lambda exchange: (
        None if exchange.path == "/api/v1/accounts" and next(lost) == 0 else exchange
    )
    ann.sign_up()
    assert ann.inbox() == []
    second = ann.other_device("second")
    second.ok("sign-in", ann.name, "--server", man.url, RESTANTE_RECOVERY_CODE=ann.recovery_code)


def test_passing_trouble_is_waited_out_as_long_as_asked(ann, man):
    answers = itertools.count()

    def busy(exchange):
        return exchange.answering(503, retry_after="1") if next(answers) < 2 else exchange

    man.change = busy
    began_s = time.monotonic()
    assert through(ann, man, "inbox").code == 0
    assert time.monotonic() - began_s >= 2


def test_a_server_that_stays_full_is_told_in_the_end(ann, man, clip):
    body = b'{"type":"/problems/storage-full","title":"x","status":507,"code":"storage-full","instance":"i"}'
    man.change = lambda exchange: (
        exchange.answering(507, body) if exchange.path == "/api/v1/uploads" else exchange
    )
    with pytest.raises(ServerProblem) as refused, open_account(ann.profile, url=man.url) as account:
        account.session.retry = Retry(patience_s=0.1)
        send(account, [ann.name], clip)
    assert refused.value.code == "storage-full"
    assert ann.drafts == []


def test_a_redirect_is_never_followed(ann, man):
    man.change = lambda exchange: exchange.answering(302, location="https://elsewhere.example/")
    assert "never followed" in through(ann, man, "inbox").failed().err


def test_an_answer_without_end_is_cut_off(ann, man):
    man.change = lambda exchange: (
        exchange.answering(200, b"[" + b" " * 9_000_000)
        if exchange.path.startswith("/api/v1/inbox")
        else exchange
    )
    assert "larger than it may be" in through(ann, man, "inbox").failed().err


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"items":[],"items":[],"cursor":null}', b'{"items":[{"id":"msg_x"}],"cursor":null}'],
)
def test_an_answer_of_another_shape_is_refused(ann, man, body):
    man.change = lambda exchange: (
        exchange.answering(200, body) if exchange.path.startswith("/api/v1/inbox") else exchange
    )
    assert "not what it must be" in through(ann, man, "inbox").failed().err


def test_a_list_that_never_ends_is_refused(ann, man):
    man.change = lambda exchange: (
        exchange.answering(200, b'{"items":[],"cursor":"again"}')
        if exchange.path.startswith("/api/v1/sent")
        else exchange
    )
    assert "without end" in through(ann, man, "sent").failed().err


def test_an_older_keyring_is_told(person, man):
    ann = person()
    kept = {}

    def first_keyring(exchange):
        if exchange.method == "GET" and exchange.path == "/api/v1/account/keyring":
            return kept.setdefault("keyring", exchange)
        return exchange

    man.change = first_keyring
    assert through(ann, man, "inbox").code == 0
    second = ann.other_device("second")
    second.ok("sign-in", ann.name, "--server", ann.url, RESTANTE_PASSPHRASE=ann.passphrase)
    ann.ok("inbox")
    answer = through(ann, man, "inbox")
    assert answer.code == 0
    assert "warning: The server gave an older keyring than this device has seen" in answer.err


def test_another_accounts_keyring_does_not_open(ann, bob, man):
    with bob.account as account:
        foreign = account.session.call("GET", "/api/v1/account/keyring")
    man.change = lambda exchange: (
        exchange.answering(200, foreign.body) if exchange.path == "/api/v1/account/keyring" else exchange
    )
    assert "does not open the keyring" in through(ann, man, "inbox").failed().err


def test_a_salt_of_another_size_is_refused_before_the_passphrase_is_stretched(ann, man):
    man.change = lambda exchange: (
        exchange.answering(200, b'{"salt":"AAAA"}') if exchange.path.endswith("/salt") else exchange
    )
    second = ann.other_device("second")
    answer = second.run("sign-in", ann.name, "--server", man.url, RESTANTE_PASSPHRASE=ann.passphrase)
    assert "salt" in answer.failed().err


def test_foreign_words_cannot_steer_the_terminal(ann, man):
    body = (
        b'{"type":"x","title":"\\u001b[2Jgone\\nerror: forged","status":400,"code":"unheard-of","instance":"i",'
        b'"hint":"\\u001b]0;owned\\u0007"}'
    )
    man.change = lambda exchange: exchange.answering(400, body)
    answer = through(ann, man, "inbox").failed()
    assert "\x1b" not in answer.err
    assert "\x07" not in answer.err
    assert answer.err.count("error:") == 2
    assert len(answer.err.splitlines()) == 2


def test_silence_is_unreachable(man):
    man.change = lambda _: None
    with Session(man.url, retry=Retry(patience_s=1.5)) as session, pytest.raises(Unreachable):
        session.call("GET", "/api/v1/server")
    assert len(man.seen) > 1
