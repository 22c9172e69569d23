"""Accounts with real keys, and a message that one of them sends: what the tests of this folder share."""

import random
from dataclasses import dataclass
from functools import cache

from restante.crypto import accounts, details, envelopes, kdf, keyring, keyring_changes, receiving
from restante.crypto.age import X25519Identity
from restante.crypto.padding import Padding
from restante.crypto.video import VideoManifest, VideoSealer
from restante.protocol.ids import Prefix, new_id
from restante.signing import records

NOW = 1_800_000_000_000
DAY = 86_400_000


def drawn(seed):
    """A source of bytes that is the same for the same seed."""
    return random.Random(seed).randbytes


@dataclass(frozen=True)
class Person:
    keyring: keyring.Keyring
    access: kdf.Access
    record: records.Record

    @property
    def acct(self):
        return self.keyring.acct

    @property
    def key(self):
        return self.keyring.signing_key

    @property
    def me(self):
        return receiving.Me(self.acct, (self.key.public,))

    @property
    def sender(self):
        return envelopes.Sender(self.acct, "a name", self.key)


@cache
def person(name):
    source = drawn(f"person {name}")
    empty = accounts.new_keyring(f"{name}@post.example", now_ms=NOW, random=source)
    access = kdf.unlock_access(source(32))
    method = accounts.new_method(
        keyring.MethodType.RECOVERY_CODE, access, label="code", now_ms=NOW, random=source
    )
    ring = keyring_changes.with_method(empty, method)
    return Person(ring, access, records.read(ring.record(now_ms=NOW)))


@dataclass(frozen=True)
class Sent:
    """Everything that a sender makes of one video."""

    key: X25519Identity
    mp4: bytes
    video: bytes
    manifest: VideoManifest
    details: bytes
    message: envelopes.Message


def sealed_video(key, mp4, *, padding=Padding.FILE, seed="video"):
    sealer = VideoSealer(key, padding=padding, random=drawn(seed))
    head = sealer.update(mp4)
    tail, manifest = sealer.finish()
    return head + tail, manifest


def sealed_details(key, manifest, *, caption="hello"):
    video = details.describe_video(manifest, type="video/mp4", ms=1000, w=640, h=480)
    return details.seal_details(details.Details(video=video, caption=caption), key)


@cache
def sent(*, size=600_000):
    source = drawn(f"message {size}")
    key, mp4 = X25519Identity.generate(random=source), source(size)
    video, manifest = sealed_video(key, mp4)
    box = sealed_details(key, manifest)
    message = envelopes.Message(
        id=new_id(Prefix.MESSAGE, random=source),
        kind=details.Kind.VIDEO,
        created_ms=NOW,
        key=key,
        details_sha256=details.details_sha256(box),
        upload=new_id(Prefix.UPLOAD, random=source),
    )
    return Sent(key, mp4, video, manifest, box, message)


def nothing_seen(_message_id, _shard):
    return None


def nobody_pinned(_acct):
    return None


def receive(sealed, who, *, pinned=nobody_pinned, seen=nothing_seen, now_ms=NOW):
    return receiving.open_envelope(
        sealed, identities=who.keyring.identities, me=who.me, pinned=pinned, seen=seen, now_ms=now_ms
    )
