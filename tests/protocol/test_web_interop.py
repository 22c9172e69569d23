"""What one client makes, the other opens: the Python library and the web client's code, both ways."""

import dataclasses
import hashlib
import itertools
import random

import msgspec
import pytest

from restante.crypto import accounts, envelopes, kdf, keyring, pins, receiving, recovery, state
from restante.crypto.age import X25519Identity
from restante.crypto.contacts import Blocked, Contact, PetName, RequestState, Verified
from restante.crypto.contacts import Request as ContactRequest
from restante.crypto.details import Details, Kind, describe_video, details_sha256, seal_details
from restante.crypto.errors import PartSwapped
from restante.crypto.keyring_changes import with_device, with_encryption_identity, with_state_key
from restante.crypto.padding import Padding
from restante.crypto.passphrase import passphrase_access
from restante.crypto.receiving import Trust
from restante.crypto.safety import safety_number
from restante.crypto.video import VideoManifest, VideoOpener, VideoSealer
from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from restante.signing import records, successions
from restante.signing.keys import SigningKey, fp
from tests.protocol.interop.web_client import WebClient, WebRefusal
from tests.protocol.people import NOW, nobody_pinned, person, receive

SIZES = [0, 1, 65_535, 65_536, 65_537, 600_000]
NEXT = itertools.count()


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    client = WebClient(tmp_path_factory.mktemp("peer"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def ann():
    """An account of the Python client."""
    return person("ann")


class WebAccount:
    """An account that the web client made."""

    def __init__(self, web, name):
        self.browser = web.as_(f"{name} {next(NEXT)}")
        self.acct = f"{name}@post.example"
        made = self.browser.makeAccount({"acct": self.acct, "passphrase": None, "nowMs": NOW})
        self.made = made
        self.record = records.read(unb64(made["record"]))
        self.sealed = unb64(made["keyring"])


@pytest.fixture(scope="module")
def bob(web):
    return WebAccount(web, "bob")


def signed_in(web, who, sealed_keyring):
    """A web client in which a Python account is unlocked, as by a device's key."""
    browser = web.as_(f"{who.acct} {next(NEXT)}")
    browser.openKeyring(
        {
            "sealed": sealed_keyring,
            "acct": who.acct,
            "identity": str(who.access.identity),
            "known": b64(who.key.public),
        }
    )
    return browser


# --- accounts, keyrings ---


def test_python_opens_an_account_of_the_web_client_by_passphrase_and_by_code(bob):
    words, code = bob.made["unlock"]
    by_words = passphrase_access(bob.made["passphrase"], salt=unb64(words["salt"]))
    by_code = kdf.unlock_access(recovery.read_code(bob.made["recoveryCode"]))
    assert (b64(by_words.bearer), b64(by_code.bearer)) == (words["bearer"], code["bearer"])
    for access in (by_words, by_code):
        ring = keyring.open_keyring(bob.sealed, access.identity, acct=bob.acct)
        assert ring.signing_key.public == bob.record.sign
        assert [entry.type for entry in ring.unlock] == ["passphrase", "recovery"]
        assert ring.record(now_ms=NOW) == bob.record.raw  # the very bytes: both sign and write alike


def test_web_client_opens_an_account_of_python_by_passphrase(web):
    words, salt = "\uff23orrect  horse battery ", bytes(range(16))
    access = passphrase_access(words, salt=salt)
    method = accounts.new_method(keyring.MethodType.PASSPHRASE, access, label="words", now_ms=NOW)
    ring = msgspec.structs.replace(accounts.new_keyring("cat@post.example", now_ms=NOW), unlock=(method,))
    browser = web.as_("cat")
    assert browser.takePassphrase("Correct horse battery", b64(salt)) == b64(access.bearer)
    sealed = keyring.seal_keyring(ring)
    view = browser.openKeyring({"sealed": sealed, "acct": ring.acct, "history": [ring.record(now_ms=NOW)]})
    assert (view["sign"], view["rev"]) == (b64(ring.signing_key.public), 1)
    other = msgspec.structs.replace(ring, sign=b64(SigningKey.generate().seed))
    with pytest.raises(WebRefusal, match="keyring-forged"):
        browser.openKeyring({"sealed": sealed, "acct": ring.acct, "history": [other.record(now_ms=NOW)]})


def test_devices_of_both_clients_are_merged(web, ann):
    browser = signed_in(web, ann, keyring.seal_keyring(ann.keyring))
    phone, desk = X25519Identity.generate(), X25519Identity.generate()
    change = {"kind": "add-device", "did": new_id(Prefix.DEVICE), "label": "phone", "identity": str(phone)}
    browser.changeKeyring({**change, "nowMs": NOW})
    device = accounts.new_device(new_id(Prefix.DEVICE), desk, label="desk", now_ms=NOW)
    theirs = with_device(ann.keyring, device)
    merged = browser.mergeKeyring(keyring.seal_keyring(theirs))["sealed"]
    for identity in (phone, desk, ann.access.identity):
        opened = keyring.open_keyring(merged, identity, acct=ann.acct, known=ann.key.public)
        assert {entry.label for entry in opened.devices} == {"phone", "desk"}
        assert opened.rev == theirs.rev + 1


def test_record_that_the_web_client_renews_follows_pythons(web, ann):
    browser = signed_in(web, ann, keyring.seal_keyring(ann.keyring))
    renewed = browser.renewRecord([ann.record.raw], NOW + 31 * 86_400_000)
    assert records.check_successor(ann.record.raw, renewed).rev == 2


def test_web_client_follows_rotation_and_succession_of_python(web, bob, ann):
    old = ann.keyring
    rotated = with_encryption_identity(old, accounts.new_encryption_identity(now_ms=NOW + 1))
    second = rotated.record(now_ms=NOW + 1, previous=ann.record)
    new_key = SigningKey.generate()
    successor = msgspec.structs.replace(rotated, sign=b64(new_key.seed))
    approved = successions.build(ann.key, ann.acct, new=new_key.public, now_ms=NOW + 2)
    third = successor.record(now_ms=NOW + 2, previous=records.read(second), succession=approved)
    browser = WebAccount(web, "dan").browser
    history = [ann.record.raw, second, third]
    assert browser.meet(ann.acct, history[:2], None, NOW)["isNew"]
    moved = browser.meet(ann.acct, history, None, NOW)
    assert (moved["hasNewKey"], moved["fp"], moved["rev"]) == (True, fp(new_key.public), 3)
    with pytest.raises(WebRefusal, match="record-rollback"):
        browser.meet(ann.acct, history[:2], None, NOW)
    impostor = msgspec.structs.replace(old, sign=b64(SigningKey.generate().seed)).record(now_ms=NOW)
    with pytest.raises(WebRefusal, match="safety-number-changed"):
        browser.meet(ann.acct, [impostor], None, NOW)


def test_safety_numbers_agree(bob, ann):
    shown = bob.browser.safetyNumber(ann.acct, [ann.record.raw])
    number = safety_number((ann.acct, ann.record.sign), (bob.acct, bob.record.sign))
    assert (" ".join(shown["groups"]), shown["raw"]) == (str(number), number.raw)


# --- shards ---


def test_shards_travel_both_ways_and_merge_alike(web, ann):
    browser = signed_in(web, ann, keyring.seal_keyring(ann.keyring))
    key = {"state": ann.keyring.state_identity, "key": ann.key}
    pin = pins.Pin(era=1, rev=3, record=b64(bytes(32)), sign=b64(bytes(range(32))), former=(b64(bytes(32)),))
    contact = Contact(
        pin=pin,
        verified=Verified(sign=pin.sign, at=NOW),
        name=PetName(value='Zoë "Z"', at=NOW),
        blocked=Blocked(value=False, at=NOW),
        request=ContactRequest(state=RequestState.PENDING, at=NOW),
    )
    shard = state.Contacts(rev=4, contacts={"zoe@post.example": contact})
    assert (
        browser.takeShard("contacts", state.seal_shard(shard, **key), {"server": True, "highestRev": 4}) == 4
    )
    assert browser.pendingShards() == []
    news = {
        "request": {"state": "accepted", "at": NOW},
        "name": {"value": "é", "at": NOW},
    }  # ties: the larger bytes win
    browser.noteContact("zoe@post.example", news)
    assert browser.pendingShards() == ["contacts"]
    given = browser.giveShard("contacts")
    opened = _opened(given["sealed"], state.Contacts, "contacts", ann, highest_rev=5)
    mine = state.Contacts(contacts={"zoe@post.example": msgspec.convert(news, Contact)})
    assert opened.contacts == shard.merge(mine).contacts
    assert given["rev"] == opened.rev == 5


def test_a_new_state_key_is_made_by_either_and_followed_by_the_other(web, ann):
    """Python makes one, the web client seals anew; the web client makes one, Python seals anew."""
    before = state.seal_shard(state.Settings(rev=3), state=ann.keyring.state_identity, key=ann.key)
    ring = with_state_key(ann.keyring, X25519Identity.generate())
    browser = signed_in(web, ann, keyring.seal_keyring(ring))
    again = browser.resealShard("settings", before)
    assert again["rev"] == 4
    known = {"name": "settings", "signers": [ann.key.public]}
    opened = state.open_shard(again["sealed"], state.Settings, state=ring.state_identity, **known)
    assert opened == state.Settings(rev=4)
    assert browser.resealShard("settings", again["sealed"]) is None

    made = browser.changeKeyring({"kind": "rotate-signing", "nowMs": NOW})["sealed"]
    theirs = keyring.open_keyring(made, ann.access.identity, acct=ann.acct, known=ann.key.public)
    assert set(theirs.former_states) == {ann.keyring.state, ring.state}
    back = state.reseal_shard(
        again["sealed"],
        name="settings",
        state=theirs.state_identity,
        former=theirs.former_state_identities,
        signers=theirs.own_keys,
        key=theirs.signing_key,
    )
    assert back is not None
    assert back[1] == 5
    assert browser.resealShard("settings", back[0]) is None


def test_settings_and_seen_ids_travel_both_ways(web, ann):
    browser = signed_in(web, ann, keyring.seal_keyring(ann.keyring))
    key = {"state": ann.keyring.state_identity, "key": ann.key}
    values = {"beep": True, "theme": "dark", "volume": 7, "none": None, "__proto__": "plain"}
    settings = state.Settings(
        settings={name: state.Setting(value=value, at=NOW) for name, value in values.items()}
    )
    browser.takeShard("settings", state.seal_shard(settings, **key), {"server": True, "highestRev": 0})
    browser.setSetting("beep", False, NOW + 1)
    opened = _opened(browser.giveShard("settings")["sealed"], state.Settings, "settings", ann)
    assert {name: entry.value for name, entry in opened.settings.items()} == {**values, "beep": False}
    name = receiving.seen_shard(NOW)
    seen = state.Seen(shard=name, ids={new_id(Prefix.MESSAGE): b64(bytes(8)) for _ in range(state.SEEN_IDS)})
    browser.takeShard(name, state.seal_shard(seen, **key), {"server": True, "highestRev": 0})
    browser.noShard("contacts")
    _, message, _ = _sealed_by_python(b"x")
    sealed = envelopes.seal_for_account(message, ann.sender, ann.record)
    assert browser.openEnvelope(sealed, NOW)["unread"] == [f"{name}-2"]  # the month's first shard is full


def _opened(sealed, shape, name, who, *, highest_rev=0):
    signers = [who.key.public]
    return state.open_shard(
        sealed, shape, name=name, state=who.keyring.state_identity, signers=signers, highest_rev=highest_rev
    )


# --- messages ---


def composed_by_web(bob, ann, mp4, *, links=()):
    browser = bob.browser
    browser.meet(ann.acct, [ann.record.raw], None, NOW)
    key = browser.newMessageKey()
    sealed = browser.sealVideo(key, mp4)
    media = {"type": 'video/mp4; codecs="avc1.640028, mp4a.40.2"', "ms": 1000, "w": 640, "h": 480}
    video = browser.describeVideo({"size": sealed["size"], "parts": sealed["parts"]}, media)
    wanted = {
        "id": browser.newId("msg"),
        "kind": "video",
        "createdMs": NOW,
        "messageKey": key,
        "details": {"video": video, "caption": "Grüße 👋"},
        "upload": new_id(Prefix.UPLOAD),
        "name": "Bob",
        "links": links,
    }
    return wanted, sealed["video"], browser.composeMessage(wanted, [ann.record.raw])


@pytest.mark.parametrize("size", SIZES)
def test_python_opens_a_message_of_the_web_client(bob, ann, size):
    mp4 = random.Random(size).randbytes(size)
    wanted, video, composed = composed_by_web(bob, ann, mp4)
    pinned = {bob.acct: pins.first_use(bob.record)}.get
    opened = receive(unb64(composed["envelopes"]["ann"]), ann, pinned=pinned)
    assert (opened.trust, opened.fields.id, opened.fields.from_.name) == (Trust.PINNED, wanted["id"], "Bob")
    details = opened.open_details(unb64(composed["details"]))
    assert details.caption == "Grüße 👋"
    opener = VideoOpener(opened.key, details.video.manifest())
    assert (opener.update(video) + opener.finish()).startswith(mp4)
    own = bob.browser.openOwnCopy(unb64(composed["sent"]), NOW)
    assert own["fields"]["sent_to"] == [ann.acct]


@pytest.mark.parametrize("size", SIZES)
def test_web_client_opens_a_message_of_python(web, ann, size):
    bob = WebAccount(web, "bob")
    mp4 = random.Random(size).randbytes(size)
    video, message, details = _sealed_by_python(mp4)
    sealed = envelopes.seal_for_account(message, ann.sender, bob.record)
    (unread,) = bob.browser.openEnvelope(sealed, NOW)["unread"]
    bob.browser.noShard(unread)
    opened = bob.browser.openEnvelope(sealed, NOW)
    assert (opened["trust"], opened["signer"]) == ("first", ann.key.public)
    assert opened["digest"] == _digest(opened["container"])
    assert bob.browser.meet(ann.acct, [ann.record.raw], opened["signer"], NOW)["isNew"]
    key, signed = opened["fields"]["key"], {"sha256": opened["fields"]["details"], "kind": "video"}
    read = bob.browser.openDetails(details, key, signed)
    assert bob.browser.readVideoWhole(key, video, read["video"]["sha256"]).startswith(mp4)
    again = envelopes.seal_for_account(dataclasses.replace(message, once=True), ann.sender, bob.record)
    with pytest.raises(WebRefusal, match="message-id-reused"):
        bob.browser.openEnvelope(again, NOW)


def test_both_refuse_a_swapped_part_of_the_other(web, bob, ann):
    mp4 = random.Random(9).randbytes(600_000)
    _, video, composed = composed_by_web(bob, ann, mp4)
    opened = receive(unb64(composed["envelopes"]["ann"]), ann)
    manifest = opened.open_details(unb64(composed["details"])).video.manifest()
    swapped = video[262_144:524_288] + video[:262_144] + video[524_288:]
    with pytest.raises(PartSwapped):
        VideoOpener(opened.key, manifest).update(swapped)
    parts = [b64(digest) for digest in manifest.sha256]
    with pytest.raises(WebRefusal, match="video-part-swapped"):
        bob.browser.readVideoWhole(str(opened.key), swapped, parts)
    with pytest.raises(WebRefusal, match="video-damaged"):
        bob.browser.readVideoWhole(str(X25519Identity.generate()), video, parts)


def test_guest_links_open_in_the_other_client(bob, ann):
    secret = bytes(range(32))
    access = kdf.link_access(secret)
    link = str(access.identity.recipient())
    wanted, _, composed = composed_by_web(
        bob, ann, b"x" * 100, links=[{"recipient": link, "bearerSha256": "x"}]
    )
    opened = receiving.open_link_envelope(
        unb64(composed["links"][0]), identity=access.identity, pinned=nobody_pinned, now_ms=NOW
    )
    assert opened.fields.id == wanted["id"]
    assert bob.browser.linkBearer(secret) == b64(access.bearer)
    stretched = kdf.argon2id(b"correct horse", salt=kdf.link_salt(secret))
    protected = kdf.link_access_with_password(secret, stretched)
    _, message, _ = _sealed_by_python(b"x")
    sealed = envelopes.seal_for_link(message, ann.sender, protected.identity.recipient())
    assert (
        bob.browser.openLinkEnvelope(sealed, {"secret": secret, "password": " correct  horse"}, NOW)[
            "fields"
        ]["id"]
        == message.id
    )
    with pytest.raises(WebRefusal, match="envelope-no-match"):
        bob.browser.openLinkEnvelope(sealed, {"secret": secret, "password": "wrong"}, NOW)


def _sealed_by_python(mp4):
    key = X25519Identity.generate()
    sealer = VideoSealer(key, padding=Padding.LIVE)
    head = sealer.update(mp4)
    tail, manifest = sealer.finish()
    details = seal_details(_described(manifest), key)
    message = envelopes.Message(
        id=new_id(Prefix.MESSAGE),
        kind=Kind.VIDEO,
        created_ms=NOW,
        key=key,
        details_sha256=details_sha256(details),
        upload=new_id(Prefix.UPLOAD),
    )
    return head + tail, message, details


def _described(manifest: VideoManifest):
    return Details(video=describe_video(manifest, type="video/mp4", ms=1000, w=640, h=480), caption="hello")


def _digest(container):
    return b64(hashlib.sha256(container).digest()[:8])
