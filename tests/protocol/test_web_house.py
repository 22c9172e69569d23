"""One server, a command line and the web client's code: each signs in to the other's account and plays the other's message."""

import itertools
import os

import pytest

from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from tests.api.people import SERVER_NAME, new_client, new_name, now_ms
from tests.cli.person import Person
from tests.footage import ffmpeg
from tests.protocol.interop.web_client import WebClient

OCTETS = "application/octet-stream"
_count = itertools.count()


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    client = WebClient(tmp_path_factory.mktemp("peer"))
    yield client
    client.close()


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=1.2"]
    ffmpeg(*picture, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture
def browser(web, server):
    """Makes browsers, whose connections end with the test."""
    made = []

    def make(name):
        made.append(Browser(web, server, name))
        return made[-1]

    yield make
    for each in made:
        each.http.close()


class Browser:
    """The web client's calls to the server, by hand; the passphrase is the way in."""

    def __init__(self, web, server, name):
        self.crypto, self.name, self.acct = web.as_(next(_count)), name, f"{name}@{SERVER_NAME}"
        self.http = new_client(server.url)

    def sign_up(self):
        made = self.crypto.makeAccount({"acct": self.acct, "passphrase": None, "nowMs": now_ms()})
        form = {key: made[key] for key in ("record", "keyring", "unlock")}
        self._enter(self.http.post("/api/v1/accounts", json={**form, "name": self.name, "client": "cli"}))
        self.passphrase = made["passphrase"]
        return self

    def sign_in(self, passphrase):
        salt = self.http.get(f"/api/v1/sign-in/{self.name}/salt").json()["salt"]
        bearer = self.crypto.takePassphrase(passphrase, salt)
        form = {"name": self.name, "type": "passphrase", "bearer": bearer, "client": "cli"}
        self._enter(self.http.post("/api/v1/sign-in", json=form))
        sealed = self.http.get("/api/v1/account/keyring").content
        history = self.history(self.name)
        return self.crypto.openKeyring({"sealed": sealed, "acct": self.acct, "history": history})

    def history(self, name):
        items = self.http.get(f"/api/v1/accounts/{name}/records").json()["items"]
        return [unb64(item["record"]) for item in items]

    def receive(self):
        """Opens everything in the inbox; what came first contact is met."""
        items = self.http.get("/api/v1/inbox").json()["items"]
        opened = [self._opened(unb64(item["envelope"])) for item in items]
        for each in opened:
            acct = each["fields"]["from"]["acct"]
            met = self.crypto.meet(acct, self.history(acct.partition("@")[0]), each["signer"], now_ms())
            assert met["acct"] == acct
        return opened

    def play(self, opened):
        path = f"/api/v1/messages/{opened['fields']['id']}"
        signed = {"sha256": opened["fields"]["details"], "kind": opened["kind"]}
        key = opened["fields"]["key"]
        details = self.crypto.openDetails(self.http.get(f"{path}/details").content, key, signed)
        video = self.http.get(f"{path}/video").content
        return details, self.crypto.readVideoWhole(key, video, details["video"]["sha256"])

    def send(self, to, mp4, *, caption):
        key = self.crypto.newMessageKey()
        sealed = self.crypto.sealVideo(key, mp4)
        media = {"type": "video/mp4", "ms": 1200, "w": 320, "h": 240}
        video = self.crypto.describeVideo({"size": sealed["size"], "parts": sealed["parts"]}, media)
        history = self.history(to)
        self.crypto.meet(f"{to}@{SERVER_NAME}", history, None, now_ms())
        wanted = {
            "id": new_id(Prefix.MESSAGE),
            "kind": "video",
            "createdMs": now_ms(),
            "messageKey": key,
            "details": {"video": video, "caption": caption},
            "upload": self._upload(sealed["video"]),
        }
        composed = self.crypto.composeMessage(wanted, history[-1:])
        files = {
            "message": (None, composed["message"], "application/json"),
            "details": (None, unb64(composed["details"]), OCTETS),
            f"envelope:{to}": (None, unb64(composed["envelopes"][to]), OCTETS),
            "sent": (None, unb64(composed["sent"]), OCTETS),
        }
        answer = self.http.post(
            "/api/v1/messages", files=files, headers={"idempotency-key": os.urandom(16).hex()}
        )
        assert answer.status_code == 201, answer.text

    def store_shards(self):
        for name in self.crypto.pendingShards():
            sealed = self.crypto.giveShard(name)["sealed"]
            headers = {"if-none-match": "*", "content-type": OCTETS}
            answer = self.http.put(f"/api/v1/account/state/{name}", content=sealed, headers=headers)
            assert answer.is_success, answer.text
            self.crypto.shardStored(name)

    def take_shard(self, name):
        answer = self.http.get(f"/api/v1/account/state/{name}")
        if answer.status_code == 404:
            self.crypto.noShard(name)
        else:
            self.crypto.takeShard(name, answer.content, {"server": True, "highestRev": 1})

    def _opened(self, sealed):
        unread = self.crypto.openEnvelope(sealed, now_ms())["unread"]
        for name in unread:
            self.take_shard(name)
        return self.crypto.openEnvelope(sealed, now_ms())

    def _upload(self, video):
        tus = {"tus-resumable": "1.0.0"}
        made = self.http.post("/api/v1/uploads", headers={**tus, "upload-length": str(len(video))})
        offset = {"upload-offset": "0", "content-type": "application/offset+octet-stream"}
        done = self.http.patch(made.headers["location"], content=video, headers={**tus, **offset})
        assert done.status_code == 204, done.text
        return made.headers["location"].rpartition("/")[2]

    def _enter(self, answer):
        assert answer.is_success, answer.text
        self.http.headers["authorization"] = f"Bearer {answer.json()['token']}"


def test_command_line_and_web_client_send_to_each_other(browser, server, tmp_path, clip):
    ann = Person(new_name("ann"), tmp_path, server.url).sign_up()
    bob = browser(new_name("bob")).sign_up()
    ann.ok("send", bob.name, clip, "--caption", "from the command line")
    (opened,) = bob.receive()
    details, mp4 = bob.play(opened)
    assert (opened["trust"], details["caption"], mp4[4:8]) == ("first", "from the command line", b"ftyp")
    bob.send(ann.name, mp4, caption="from the web")
    (item,) = ann.inbox()
    assert (item["caption"], item["trust"]) == ("from the web", "pinned")
    saved = tmp_path / "saved.mp4"
    ann.ok("save", "1", "--output", saved)
    received = tmp_path / "received.mp4"
    received.write_bytes(mp4)
    frames = [ffmpeg("-i", path, "-map", "0:v", "-f", "framemd5", "-") for path in (received, saved)]
    assert frames[0].count(b"\n") > 25
    assert frames[0] == frames[1]


def test_what_one_browser_learnt_another_browser_of_the_account_knows(browser, server, tmp_path, clip):
    ann = Person(new_name("ann"), tmp_path, server.url).sign_up()
    bob = browser(new_name("bob")).sign_up()
    ann.ok("send", bob.name, clip)
    (first,) = bob.receive()
    bob.store_shards()
    other = browser(bob.name)
    assert other.sign_in(bob.passphrase)["acct"] == bob.acct
    other.take_shard("contacts")
    (again,) = other.receive()
    assert (first["trust"], again["trust"], again["digest"]) == ("first", "pinned", first["digest"])
    assert other.crypto.pendingShards() == []


def test_each_signs_in_to_an_account_that_the_other_made(browser, server, tmp_path):
    ann = Person(new_name("ann"), tmp_path, server.url).sign_up()
    view = browser(ann.name).sign_in(ann.passphrase)
    with ann.account as account:
        assert view["sign"] == b64(account.keyring.signing_key.public)
        assert [device["did"] for device in view["devices"]] == [account.identity.device_id]
    bob = browser(new_name("bob")).sign_up()
    desk = Person(bob.name, tmp_path, server.url, "desk", bob.passphrase)
    desk.ok("sign-in", bob.name, "--server", server.url, RESTANTE_PASSPHRASE=bob.passphrase)
    with desk.account as account:
        assert b64(account.keyring.signing_key.public) == bob.crypto.account()["sign"]
    stored = bob.http.get("/api/v1/account/keyring").content
    merged = bob.crypto.mergeKeyring(stored)
    assert len(bob.crypto.keyringStored()["devices"]) == 1
    assert merged["rev"] > 1
