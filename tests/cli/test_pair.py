"""`restante pair` and `restante sessions`: a machine is let in by another device, and removed again."""

import json
import re
import threading
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest
import segno

from restante.client import device_keyring
from restante.client.accounts import open_account
from restante.client.errors import AlreadySignedIn, AnswerMalformed, ServerProblem
from restante.client.pairing import Asking, pair, shown_label
from restante.crypto.age import X25519Identity
from restante.crypto.errors import KeyringForged, KeyringNoMatch
from restante.crypto.keyring import Device, open_keyring, seal_keyring
from restante.crypto.keyring_changes import with_device, without_device
from restante.crypto.pairing import pairing_words
from restante.protocol import ijson, wire
from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import KEYRING_BYTES
from tests.cli.middleman import middleman
from tests.cli.person import NO_KEYRING, as_of_old
from tests.cli.seated import seated

ADDRESS = re.compile(r"(http\S+)/pair#([a-z2-7]{16})\.(age1[a-z0-9]+)")


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    """The library, too, keeps secrets in files here."""
    for key, value in NO_KEYRING.items():
        monkeypatch.setenv(key, value)


def approve(person, address, *, recipient=None, ring=None):
    """What a browser does: seals the keyring to the recipient of the address, and posts it with the approval."""
    _, lookup, shown = ADDRESS.fullmatch(address).groups()
    with person.account as account:
        fetched = device_keyring.fetch(account.session)
        device = Device(
            did=new_id(Prefix.DEVICE), label="shed", recipient=recipient or shown, created=1_900_000_000_000
        )
        sealed = seal_keyring((ring or with_device)(account.keyring, device))
        body = ijson.encode(wire.PairingApproval(b64(sealed), device.did))
        headers = {"content-type": "application/json", "if-match": fetched.version}
        path = f"/api/v1/pairings/{lookup}/approval"
        account.session.call_once("POST", path, content=body, headers=headers)
    return device


def refuse(person, address):
    _, lookup, _ = ADDRESS.fullmatch(address).groups()
    with person.account as account:
        account.session.call_once("DELETE", f"/api/v1/pairings/{lookup}")


def matrix_of(screen):
    """Reads a code off the screen: each character is two modules, one above the other; ink is light."""
    lines = [line for line in screen.splitlines() if line and not set(line) - set("█▀▄ ")]
    width = max(len(line) for line in lines)
    upper = [[sign in "█▀" for sign in line.ljust(width)] for line in lines]
    lower = [[sign in "█▄" for sign in line.ljust(width)] for line in lines]
    return [row for both in zip(upper, lower, strict=True) for row in both]


@pytest.fixture
def hasty(ann):
    """Who stands before the server and tells machines to ask after one second."""
    with middleman(ann.url) as man:
        man.change = _hasten
        yield man


def _hasten(exchange):
    if exchange.path != "/api/v1/pairings" or exchange.status != 201:
        return exchange
    return replace(exchange, body=ijson.encode({**json.loads(exchange.body), "interval": 1}))


def test_a_command_line_is_let_in_and_everything_is_there(ann, person, clip, bob, hasty):
    message_id = bob.send(ann.name, clip)
    machine = ann.other_device("shed")
    with seated(machine, "pair", hasty.url, "--name", "pottery shed") as seat:
        screen = seat.wait_for("Ctrl-C ends it")
        address = ADDRESS.search(screen)[0]
        recipient = ADDRESS.search(screen)[3]
        assert "pottery shed" in screen
        assert " ".join(pairing_words(recipient)) in screen
        code = segno.make(address, error="l", micro=False)
        light = [[not module for module in row] for row in code.matrix_iter(border=4)]
        assert matrix_of(screen.replace("\r", ""))[: len(light)] == light
        device = approve(ann, address)
        assert seat.end() == 0
    assert [item["id"] for item in machine.inbox()] == [message_id]
    with machine.account as account:
        assert account.identity.device_id == device.did
        assert [held.recipient for held in account.keyring.devices if held.did == device.did] == [recipient]
    assert not machine.send(bob.name, clip).startswith("error")
    assert machine.run("pair", ann.url).failed().err.startswith("error: Somebody is signed in here")


def test_for_programs_it_says_what_to_show_and_who_it_is(ann, hasty):
    machine = ann.other_device("robot")
    with machine.started("pair", hasty.url, "--json") as process:
        asking = json.loads(process.stdout.readline())
        assert set(asking) == {"address", "words", "label", "expires_at"}
        approve(ann, asking["address"])
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out) == {"name": ann.name, "acct": f"{ann.name}@localhost", "server": hasty.url}


def paired(profile, url, show, **how):
    """By the library, without waiting between polls."""
    return pair(profile, url, show=show, wait=lambda _: None, **how)


def test_refused_it_says_so_and_keeps_nothing(ann):
    machine = ann.other_device("refused")
    with pytest.raises(ServerProblem, match="refused") as found:
        paired(machine.profile, ann.url, lambda asking: refuse(ann, asking.address))
    assert found.value.code == "pairing-refused"
    assert not machine.profile.folder.exists()


def test_it_waits_as_long_as_it_is_told_and_longer_when_it_was_too_quick(ann):
    machine, waited, asked = ann.other_device("patient"), [], []

    def wait(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            approve(ann, asked[0].address)

    with pair(machine.profile, ann.url, show=asked.append, wait=wait, label="x"):
        pass
    assert waited == [5, 5, 10], "nobody waited really, so the second poll came too soon"


def test_a_lost_answer_is_asked_for_again(ann):
    machine = ann.other_device("unlucky")
    lost = []

    def lose(exchange):
        if exchange.path.endswith("/poll") and exchange.status == 201 and not lost:
            lost.append(exchange)
            return None
        return exchange

    with middleman(ann.url) as man:
        man.change = lose
        url = man.url
        account = paired(
            machine.profile, url, lambda asking: approve(ann, asking.address.replace(url, ann.url))
        )
        account.close()
    assert len(lost) == 1
    assert machine.ok("inbox", "--server", ann.url, "--json").json is not None


def test_a_keyring_that_was_sealed_to_somebody_else_is_not_taken(person):
    """A server that puts another recipient into the page's place gets nothing, and nor does this machine."""
    ann = person()
    machine, other = ann.other_device("swapped"), str(X25519Identity.generate().recipient())
    with pytest.raises(KeyringNoMatch):
        paired(machine.profile, ann.url, lambda asking: approve(ann, asking.address, recipient=other))
    assert not machine.profile.folder.exists()
    with ann.account as account:
        sessions = account.session.get("/api/v1/sessions", wire.Sessions).items
    assert len(sessions) == 1, "it does not leave a session that nobody uses"


def test_a_keyring_of_another_key_is_not_taken(person, bob):
    ann = person()
    machine = ann.other_device("forged")
    with bob.account as account:
        foreign = account.keyring

    def ring(mine, device):
        return with_device(msgspec.structs.replace(foreign, acct=mine.acct), device)

    with pytest.raises(KeyringForged):
        paired(machine.profile, ann.url, lambda asking: approve(ann, asking.address, ring=ring))
    assert not machine.profile.folder.exists()


def test_a_profile_with_somebody_in_it_is_left_alone(ann):
    with pytest.raises(AlreadySignedIn):
        paired(ann.profile, ann.url, lambda _: pytest.fail("nothing is to be asked"))


def test_an_interrupted_pairing_leaves_nothing(ann):
    machine = ann.other_device("interrupted")

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pair(machine.profile, ann.url, show=lambda _: None, wait=interrupt)
    assert not machine.profile.folder.exists()


@pytest.mark.parametrize("acct", ["ann", "ann@elsewhere", "../x@localhost", "@localhost", ""])
def test_an_address_that_cannot_be_is_not_believed(ann, acct):
    machine = ann.other_device("lied-to")

    def lie(exchange):
        if not exchange.path.endswith("/poll") or exchange.status != 201:
            return exchange
        return replace(exchange, body=ijson.encode({**json.loads(exchange.body), "acct": acct}))

    with middleman(ann.url) as man, pytest.raises(AnswerMalformed):
        man.change = lie
        url = man.url
        paired(machine.profile, url, lambda asking: approve(ann, asking.address.replace(url, ann.url)))


@pytest.mark.parametrize(
    ("label", "shown"),
    [("desk", "desk"), (" a\n b ", "a b"), ("\x1b[2Jx", "[2Jx"), ("", "command line"), ("x" * 99, "x" * 64)],
)
def test_a_machines_name_is_made_fit_to_be_shown(label, shown):
    assert shown_label(label) == shown


# The list


def listed(person):
    return person.ok("sessions", "--json").json


def test_sessions_and_devices_are_one_list(person):
    ann = person()
    machine = ann.other_device("shed")
    asked: list[Asking] = []

    def show(asking):
        asked.append(asking)
        approve(ann, asking.address)

    paired(machine.profile, ann.url, show).close()
    places = listed(machine)
    assert {(place["kind"], place["current"]) for place in places} == {("cli", True), ("cli", False)}
    assert [place["name"] for place in places if place["current"]] == ["shed"]
    assert all(place["device"] for place in places)
    shown = ann.ok("sessions").out
    assert "shed" in shown
    assert "(here)" in shown


def test_a_removed_machine_is_out_at_once_and_opens_nothing_more(person, server):
    ann = person()
    machine = ann.other_device("lost")
    paired(machine.profile, ann.url, lambda asking: approve(ann, asking.address)).close()
    machine.ok("record", "--camera", "lavfi:testsrc2", "--mic", "lavfi:sine", "--seconds", "1")
    opener = X25519Identity.parse(machine.profile.secrets().identity)
    lost = next(place for place in listed(ann) if not place["current"])
    as_of_old(server, ann)
    assert "your passphrase" in ann.run("sessions", "--end", lost["id"][:9]).failed(2).err
    assert len(listed(ann)) == 2
    ann.ok("sessions", "--end", lost["id"][:9], RESTANTE_RECOVERY_CODE=ann.recovery_code)
    answer = machine.run("inbox").failed()
    assert answer.err == (
        "error: This device was removed by another device of the account.\n"
        "hint: Sign in again, if it is yours. What was not sent is still on it.\n"
    )
    with ann.account as account:
        assert len(account.keyring.devices) == 1
        sealed = account.session.call("GET", device_keyring.PATH, limit=KEYRING_BYTES).body
    with pytest.raises(KeyringNoMatch):
        open_keyring(sealed, opener, acct=f"{ann.name}@localhost")
    draft = machine.drafts[0].record.id
    film = ann.folder / "kept.mp4"
    machine.ok("drafts", "--save", draft, "-o", film)
    assert film.stat().st_size > 1000
    assert machine.run("sign-out").code == 0
    assert [place["current"] for place in listed(ann)] == [True]


def test_all_others_are_removed_at_once(person):
    ann = person()
    others = [ann.other_device(name) for name in ("one", "two")]
    for other in others:
        paired(other.profile, ann.url, lambda asking: approve(ann, asking.address)).close()
    assert len(listed(ann)) == 3
    ann.ok("sessions", "--end-others")
    assert [place["current"] for place in listed(ann)] == [True]
    for other in others:
        assert "removed" in other.run("inbox").failed().err
    assert ann.inbox() == []


def test_what_is_not_in_the_list_cannot_be_removed(ann):
    here = next(place for place in listed(ann) if place["current"])
    assert "restante sign-out" in ann.run("sessions", "--end", here["id"]).failed(2).err
    for unknown in ("nothing", "0", "999", ""):
        assert "no such device" in ann.run("sessions", "--end", unknown).failed(2).err


def test_two_devices_that_change_the_keyring_at_once_lose_nothing(person):
    """Each adds a machine at the same time; whoever comes second is told, merges, and stores both."""
    ann = person()
    machines = [ann.other_device(name) for name in ("left", "right")]
    at_once = threading.Barrier(2)
    failures = []

    def let_in(machine):
        def show(asking):
            with suppress(threading.BrokenBarrierError):
                at_once.wait(20)
            approve_merging(ann, asking.address)

        try:
            paired(machine.profile, ann.url, show).close()
        except Exception as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=let_in, args=(machine,)) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(listed(ann)) == 3
    for machine in machines:
        assert machine.inbox() == []


def test_what_another_device_adds_and_drops_meanwhile_does_not_come_back(person):
    """Refused twice: first a machine was added elsewhere, then removed again."""
    ann, did = person(), new_id(Prefix.DEVICE)
    passing = Device(
        did=did,
        label="passing",
        recipient=str(X25519Identity.generate().recipient()),
        created=1_900_000_000_000,
    )
    elsewhere = [lambda ring: with_device(ring, passing), lambda ring: without_device(ring, did)]
    other = ann.other_device("other")
    other.ok("sign-in", ann.name, "--server", ann.url, RESTANTE_PASSPHRASE=ann.passphrase)

    def meddle(request):
        if request.method == "PUT" and request.path == device_keyring.PATH and elsewhere:
            with other.account as account:
                device_keyring.change(account, elsewhere.pop(0))
        return request

    mine = Device(
        did=new_id(Prefix.DEVICE), label="mine", recipient=passing.recipient, created=passing.created
    )
    with middleman(ann.url) as man, open_account(ann.profile, url=man.url) as account:
        man.ask = meddle
        device_keyring.change(account, lambda ring: with_device(ring, mine))
        assert elsewhere == []
        labels = {device.label for device in account.keyring.devices}
    assert "mine" in labels
    assert "passing" not in labels


def approve_merging(person, address):
    for _ in range(5):
        try:
            return approve(person, address)
        except ServerProblem as problem:
            if problem.code != "stale-version":
                raise
    raise AssertionError("always too late")
