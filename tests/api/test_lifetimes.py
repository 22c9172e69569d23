"""A sweep never removes what is live and always removes what is dead: any history against a model of it."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from restante.protocol.ids import Prefix, new_id
from restante.server.blobs.local import LocalBlobs
from restante.server.errors import Refusal
from restante.server.messages.rules import Parcel
from tests.api.household import DAY_MS, HOUR_MS, MINUTE_MS, Household, TurnedClock, parcel_for

NAMES = ("ann", "bob", "claire")
PENDING = 5


@dataclass
class Video:
    """What the model knows of an upload; ``since_ms`` is the time of its last byte, ``swept`` says that its bytes went."""

    owner: str
    data: bytes
    rest: bytes
    since_ms: int
    message: str | None = None
    gone: bool = False
    swept: bool = False


@dataclass
class Sent:
    """What the model knows of a message; ``holders`` have a copy, by name and box."""

    sender: str
    parcel: Parcel
    parties: set[str]
    holders: set[tuple[str, str]]


class Lifetimes(RuleBasedStateMachine):
    uploads = Bundle("uploads")
    sends = Bundle("sends")
    names = st.sampled_from(NAMES)

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.data = Path(self.folder.name) / "data"
        self.clock = TurnedClock()
        self.home = Household(self.data, self.clock, durability="process")
        self.actors = {name: self.home.account(name) for name in NAMES}
        self.videos: dict[str, Video] = {}
        self.messages: dict[str, Sent] = {}

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.settle()
            self.home.close()
            self.folder.cleanup()

    # What people do

    @rule(target=uploads, owner=names, size=st.integers(1, 50), rest=st.sampled_from([0, 0, 7]))
    def create(self, owner: str, size: int, rest: int) -> str:
        pending = sum(bool(one.rest) and not one.gone and one.owner == owner for one in self.videos.values())
        video = Video(owner, os.urandom(size), os.urandom(rest), self.clock.now_ms())
        upload_id = ""

        def ask() -> None:
            nonlocal upload_id
            upload_id = self.home.upload(self.actors[owner], video.data, length=size + rest)

        if self.answers(ask, None if pending < PENDING else "too-many-uploads"):
            self.videos[upload_id] = video
        return upload_id or new_id(Prefix.UPLOAD)

    @rule(upload_id=uploads, whole=st.booleans())
    def resume(self, upload_id: str, *, whole: bool) -> None:
        video = self.videos.get(upload_id)
        if video is None or not video.rest:
            return
        piece = video.rest if whole else video.rest[:1]
        code = "upload-gone" if video.gone else None
        if self.answers(lambda: self.home.resume(self.actors[video.owner], upload_id, piece), code):
            video.data, video.rest = video.data + piece, video.rest[len(piece) :]
            video.since_ms = self.clock.now_ms()

    @rule(
        target=sends,
        sender=names,
        recipients=st.sets(names, min_size=1),
        upload_id=st.none() | uploads,
        lasts_ms=st.none() | st.sampled_from([HOUR_MS, 30 * HOUR_MS]),
    )
    def send(self, sender: str, recipients: set[str], upload_id: str | None, lasts_ms: int | None) -> str:
        expires_at = None if lasts_ms is None else self.clock.now_ms() + lasts_ms
        parcel = parcel_for(sorted(recipients), upload=upload_id, expires_at=expires_at)
        code = None if upload_id is None else self.why_unfit(upload_id, sender)
        if self.answers(lambda: self.home.send(self.actors[sender], parcel), code):
            holders = {(name, "inbox") for name in recipients} | {(sender, "sent")}
            self.messages[parcel.message.id] = Sent(sender, parcel, recipients | {sender}, holders)
            if upload_id is not None:
                self.videos[upload_id].message = parcel.message.id
        return parcel.message.id

    @rule(
        target=sends,
        sender=names,
        recipients=st.sets(names, min_size=1),
        lasts_ms=st.none() | st.sampled_from([HOUR_MS, 30 * HOUR_MS]),
    )
    def send_new_video(self, sender: str, recipients: set[str], lasts_ms: int | None) -> str:
        """The common case, so that most histories have living videos in them."""
        return self.send(sender, recipients, self.create(sender, 20, 0), lasts_ms)

    @rule(message_id=sends)
    def send_again(self, message_id: str) -> None:
        if message_id in self.messages:
            message = self.messages[message_id]
            self.home.send(self.actors[message.sender], message.parcel)

    @rule(message_id=sends, name=names)
    def delete_for_me(self, message_id: str, name: str) -> None:
        message = self.messages.get(message_id)
        known = message is not None and name in message.parties
        ask = self.home.house.messages.delete_for_me(self.actors[name], message_id)
        if self.answers(lambda: self.home.run(ask), None if known else "not-found"):
            assert message is not None
            message.holders -= {(name, "inbox"), (name, "sent")}
            self.bury_unheld()

    @rule(message_id=sends)
    def each_deletes_the_own_copy(self, message_id: str) -> None:
        for name in sorted(self.messages[message_id].parties) if message_id in self.messages else ():
            self.delete_for_me(message_id, name)

    @rule(message_id=sends, name=names)
    def delete_for_everyone(self, message_id: str, name: str) -> None:
        message = self.messages.get(message_id)
        known = message is not None and name == message.sender
        ask = self.home.house.messages.delete_for_everyone(self.actors[name], message_id)
        if self.answers(lambda: self.home.run(ask), None if known else "not-found"):
            assert message is not None
            message.holders.clear()
            self.bury_unheld()

    # What happens to the server

    @rule(milliseconds=st.sampled_from([MINUTE_MS, HOUR_MS, 13 * HOUR_MS, DAY_MS, 25 * HOUR_MS]))
    def time_passes(self, milliseconds: int) -> None:
        self.clock.pass_ms(milliseconds)

    @rule()
    def sweep(self) -> None:
        self.home.sweep()
        now_ms = self.clock.now_ms()
        for message in self.messages.values():
            if self.has_expired(message):
                message.holders.clear()
        for video in self.videos.values():
            if video.message is None and video.since_ms < now_ms - DAY_MS:
                video.gone = True
        self.bury_unheld()
        for video in self.videos.values():
            video.swept = video.gone

    @rule()
    def restart(self) -> None:
        self.home.close()
        self.home = Household(self.data, self.clock, durability="process")

    @rule()
    def a_blob_is_left_over(self) -> None:
        LocalBlobs(self.data / "blobs").create(new_id(Prefix.UPLOAD)).close()

    @rule()
    def settle(self) -> None:
        """After the grace the store holds what is live, and nothing else."""
        self.clock.pass_ms(HOUR_MS)
        self.who_may_read_can()
        self.sweep()
        self.clock.pass_ms(HOUR_MS)
        self.sweep()
        self.who_may_read_can()
        live = {upload_id: video.data for upload_id, video in self.videos.items() if not video.gone}
        assert self.home.blobs() == live

    def who_may_read_can(self) -> None:
        for message_id, message in self.messages.items():
            for name in NAMES:
                assert self.reads(name, message_id) == self.may_read(name, message)

    @invariant()
    def what_is_live_is_stored(self) -> None:
        stored = self.home.blobs() if hasattr(self, "home") else {}
        for upload_id, video in getattr(self, "videos", {}).items():
            if not video.gone:
                assert stored.get(upload_id) == video.data

    # The model's judgement

    def why_unfit(self, upload_id: str, sender: str) -> str | None:
        video = self.videos.get(upload_id)
        if video is None or video.owner != sender:
            return "not-found"
        if video.gone and (video.swept or video.message is None):
            return "upload-gone"
        if video.rest:
            return "upload-unfinished"
        return None if video.message is None else "upload-claimed"

    def bury_unheld(self) -> None:
        for video in self.videos.values():
            if video.message is not None and not self.messages[video.message].holders:
                video.gone = True

    def has_expired(self, message: Sent) -> bool:
        expires_at = message.parcel.message.expires_at
        return expires_at is not None and expires_at <= self.clock.now_ms()

    def may_read(self, name: str, message: Sent) -> bool:
        return bool(message.holders & {(name, "inbox"), (name, "sent")}) and not self.has_expired(message)

    def reads(self, name: str, message_id: str) -> bool:
        ask = self.home.house.messages.access_message(self.actors[name], message_id)
        try:
            self.home.run(ask)
        except Refusal:
            return False
        return True

    def answers(self, ask: Callable[[], object], code: str | None) -> bool:
        """Asks, and compares what is refused; True when it was done."""
        found = None
        try:
            ask()
        except Refusal as refusal:
            found = refusal.entry.code
        assert found == code
        return found is None


TestLifetimes = Lifetimes.TestCase
TestLifetimes.settings = settings(max_examples=12, stateful_step_count=40, deadline=None)


@pytest.mark.long
@pytest.mark.timeout(3600)
class TestManyLifetimes(Lifetimes.TestCase):  # type: ignore[name-defined, misc] # made by Hypothesis
    settings = settings(max_examples=1000, stateful_step_count=50, deadline=None)
