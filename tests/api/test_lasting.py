"""What a sender lets a message last, who may pass it on, and what is told of it: in-process, by a clock that is turned."""

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from restante.protocol import audit, limits
from restante.protocol.encoding import b64
from restante.protocol.wire import InboxItem, Mark, SentItem
from restante.protocol.wire_messages import Forward
from restante.server.errors import Refusal
from restante.server.messages.listing import Page
from restante.server.messages.rules import Parcel
from restante.server.sessions.actor import Actor
from tests.api.household import MINUTE_MS, Household, TurnedClock, parcel_for
from tests.api.people import sealed

GRACE_MS = int(limits.PLAYED_GRACE.total_seconds() * 1000)
PLAYED = Mark("played")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    home = Household(tmp_path, TurnedClock())
    yield home
    home.close()


def video_for(home: Household, sender: Actor, *recipients: Actor, **terms: Any) -> Parcel:
    parcel = parcel_for((one.name for one in recipients), upload=home.upload(sender, os.urandom(900)))
    parcel = replace(parcel, message=msgspec.structs.replace(parcel.message, **terms))
    home.send(sender, parcel)
    return parcel


def received(home: Household, who: Actor) -> list[InboxItem]:
    return home.run(home.house.messages.inbox(who, Page())).items


def sent_by(home: Household, who: Actor) -> SentItem:
    return home.run(home.house.messages.sent(who, Page())).items[0]


def refused(home: Household, work: Any) -> str:
    with pytest.raises(Refusal) as caught:
        home.run(work)
    return caught.value.entry.code


def mark(home: Household, who: Actor, parcel: Parcel, what: Mark = PLAYED) -> None:
    home.run(home.house.messages.mark(who, parcel.message.id, what))


def forward(home: Household, who: Actor, parcel: Parcel, *to: Actor) -> Any:
    request = Forward({one.name: b64(sealed(300)) for one in to})
    return home.house.messages.forward(who, parcel.message.id, request)


def chain_of(home: Household, who: Actor) -> list[audit.Line]:
    """The account's chain, verified from its beginning."""
    found = home.run(home.house.audit.after(who, 0))
    assert not found.more
    return audit.follow([item.line for item in found.items], seq=0, head=audit.START)


# Until it is played


def test_what_lasts_until_played_ends_soon_after_the_last_recipient_played_it(home: Household) -> None:
    ann, bob, claire = map(home.account, ("ann", "bob", "claire"))
    parcel = video_for(home, ann, bob, claire, until_played=True)
    assert received(home, bob)[0].until_played
    mark(home, bob, parcel)
    home.clock.pass_ms(GRACE_MS)
    assert home.sweep()["expired"] == 0
    mark(home, claire, parcel)
    assert received(home, claire)[0].expires_at == home.clock.now_ms() + GRACE_MS
    home.clock.pass_ms(GRACE_MS - 1)
    assert received(home, bob)
    home.clock.pass_ms(1)
    assert not received(home, bob)
    home.sweep()
    assert home.blobs() == {}


def test_without_that_wish_it_stays_after_it_was_played(home: Household) -> None:
    ann, bob = map(home.account, ("ann", "bob"))
    mark(home, bob, video_for(home, ann, bob))
    assert received(home, bob)[0].expires_at is None


def test_who_deletes_it_unplayed_counts_as_having_played_it(home: Household) -> None:
    ann, bob, claire = map(home.account, ("ann", "bob", "claire"))
    parcel = video_for(home, ann, bob, claire, until_played=True)
    mark(home, bob, parcel)
    home.run(home.house.messages.delete_for_me(claire, parcel.message.id))
    assert received(home, bob)[0].expires_at == home.clock.now_ms() + GRACE_MS


def test_an_earlier_expiry_is_not_put_off(home: Household) -> None:
    ann, bob = map(home.account, ("ann", "bob"))
    end = home.clock.now_ms() + MINUTE_MS
    parcel = video_for(home, ann, bob, until_played=True, expires_at=end)
    mark(home, bob, parcel)
    assert received(home, bob)[0].expires_at == end


# Marks that are not told


@pytest.mark.parametrize(("tell", "shown"), [(True, True), (False, False)])
def test_a_quiet_mark_is_the_recipients_own(home: Household, tell: bool, shown: bool) -> None:
    ann, bob = map(home.account, ("ann", "bob"))
    parcel = video_for(home, ann, bob)
    before = sent_by(home, ann)
    mark(home, bob, parcel, Mark("played", tell=tell))
    after = sent_by(home, ann)
    assert received(home, bob)[0].played_at is not None
    assert (after.deliveries[0].played_at is not None) is shown
    assert after.state == ("played" if shown else "stored")
    assert (after.change > before.change) is shown


def test_what_was_told_is_not_taken_back(home: Household) -> None:
    ann, bob = map(home.account, ("ann", "bob"))
    parcel = video_for(home, ann, bob)
    mark(home, bob, parcel, Mark("fetched"))
    mark(home, bob, parcel, Mark("fetched", tell=False))
    assert sent_by(home, ann).state == "delivered"


# Passing on


def test_a_recipient_passes_it_on_and_the_sender_ends_it_for_all(home: Household) -> None:
    ann, bob, claire = map(home.account, ("ann", "bob", "claire"))
    parcel = video_for(home, ann, bob, may_forward=True)
    home.run(forward(home, bob, parcel, claire))
    (item,) = received(home, claire)
    assert (item.sender, item.forwarded, item.may_forward) == ("bob", True, False)
    mark(home, claire, parcel)
    assert [one.recipient for one in sent_by(home, ann).deliveries] == ["bob"]
    assert refused(home, forward(home, claire, parcel, ann)) == "may-not-forward"
    home.run(home.house.messages.delete_for_everyone(ann, parcel.message.id))
    assert received(home, claire) == []
    home.sweep()
    assert home.blobs() == {}


def test_nobody_passes_on_what_the_sender_did_not_allow_or_is_not_theirs(home: Household) -> None:
    ann, bob, claire = map(home.account, ("ann", "bob", "claire"))
    shut, open_ = video_for(home, ann, bob), video_for(home, ann, bob, may_forward=True)
    assert refused(home, forward(home, bob, shut, claire)) == "may-not-forward"
    assert refused(home, forward(home, claire, open_, claire)) == "not-found"
    assert refused(home, forward(home, bob, open_, Actor(99, "nobody", "s", "cli"))) == "no-such-recipient"
    assert received(home, claire) == []


def test_passing_on_does_not_tell_who_has_it_already(home: Household) -> None:
    ann, bob, claire = map(home.account, ("ann", "bob", "claire"))
    parcel = video_for(home, ann, bob, claire, may_forward=True)
    before = received(home, claire)
    home.run(forward(home, bob, parcel, claire))
    assert received(home, claire) == before
    home.run(home.house.messages.delete_for_me(claire, parcel.message.id))
    home.run(forward(home, bob, parcel, claire))
    assert received(home, claire) == []


def test_a_message_has_only_so_many_recipients(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob, claire = map(home.account, ("ann", "bob", "claire"))
    parcel = video_for(home, ann, bob, may_forward=True)
    monkeypatch.setattr(limits, "COPIES", 1)
    assert refused(home, forward(home, bob, parcel, claire)) == "invalid"


@pytest.mark.parametrize("order", [0, 1])
def test_passing_on_and_deleting_at_once_leaves_nothing_readable(home: Household, order: int) -> None:
    """Whichever the one writer takes first: what is passed on later is refused, what was passed on before goes too."""
    ann, bob, claire = map(home.account, ("ann", "bob", "claire"))
    parcel = video_for(home, ann, bob, may_forward=True)

    async def race() -> list[Any]:
        works = [
            forward(home, bob, parcel, claire),
            home.house.messages.delete_for_everyone(ann, parcel.message.id),
        ]
        return await asyncio.gather(*works[:: 1 if order else -1], return_exceptions=True)

    outcomes = home.run(race())
    assert [one.entry.code for one in outcomes if isinstance(one, Refusal)] in ([], ["message-gone"])
    assert received(home, claire) == received(home, bob) == []
    home.sweep()
    assert home.blobs() == {}


# The same instant


@pytest.mark.parametrize(("late_ms", "opens"), [(-1, True), (0, False)])
def test_at_the_instant_of_its_expiry_nothing_opens(home: Household, late_ms: int, opens: bool) -> None:
    ann, bob = map(home.account, ("ann", "bob"))
    parcel = video_for(home, ann, bob, may_forward=True, expires_at=home.clock.now_ms() + MINUTE_MS)
    home.run(
        home.house.messages.access_video(bob, parcel.message.id)
    )  # known, so that the next one is remembered
    home.clock.pass_ms(MINUTE_MS + late_ms)
    asked: list[Callable[[], Any]] = [
        lambda: home.house.messages.access_video(bob, parcel.message.id),
        lambda: home.house.messages.details(bob, parcel.message.id),
        lambda: home.house.messages.mark(bob, parcel.message.id, PLAYED),
        lambda: forward(home, bob, parcel, ann),
    ]
    for ask in asked:
        if opens:
            home.run(ask())
        else:
            assert refused(home, ask()) == "message-gone"


# What is noted of deletions


def test_both_sides_read_the_same_of_a_deletion_and_of_the_bytes(home: Household) -> None:
    ann, bob, claire = map(home.account, ("ann", "bob", "claire"))
    parcel = video_for(home, ann, bob)
    home.run(home.house.messages.delete_for_everyone(ann, parcel.message.id))
    home.run(home.house.messages.delete_for_everyone(ann, parcel.message.id))
    home.clock.pass_ms(500)
    home.sweep()
    home.sweep()
    hers, his = chain_of(home, ann), chain_of(home, bob)
    assert [(line.act, line.by) for line in hers] == [("deleted", "ann"), ("removed", None)]
    told = [(line.at, line.act, line.message, line.by, line.details) for line in hers]
    assert told == [(line.at, line.act, line.message, line.by, line.details) for line in his]
    assert hers[0].details == parcel.message.details_sha256
    assert hers[1].at - hers[0].at <= limits.BYTES_GONE_WITHIN.total_seconds() * 1000
    assert chain_of(home, claire) == []


def test_an_expiry_is_noted_as_one(home: Household) -> None:
    ann, bob = map(home.account, ("ann", "bob"))
    video_for(home, ann, bob, expires_at=home.clock.now_ms() + MINUTE_MS)
    home.clock.pass_ms(MINUTE_MS)
    home.sweep()
    assert [(line.act, line.by) for line in chain_of(home, bob)] == [("expired", None), ("removed", None)]


def test_lines_go_after_ninety_days_but_the_chain_goes_on(home: Household) -> None:
    ann, bob = map(home.account, ("ann", "bob"))
    for _ in range(2):
        parcel = video_for(home, ann, bob)
        home.run(home.house.messages.delete_for_everyone(ann, parcel.message.id))
        home.sweep()
    whole = home.run(home.house.audit.after(bob, 0)).items
    home.clock.pass_ms(int(limits.TOMBSTONE_FOR.total_seconds() * 1000) + 1)
    assert home.sweep()["audit"] == 6  # of both, all but the last
    rest = home.run(home.house.audit.after(bob, 0)).items
    assert rest == whole[-1:]
    before = audit.hash_of(whole[-2].line)
    assert audit.follow([rest[0].line], seq=3, head=before)[0].seq == 4


@pytest.mark.parametrize("lie", ["changed", "left out", "begun anew"])
def test_a_chain_that_was_touched_does_not_hold(home: Household, lie: str) -> None:
    ann, bob = map(home.account, ("ann", "bob"))
    parcel = video_for(home, ann, bob)
    home.run(home.house.messages.delete_for_everyone(ann, parcel.message.id))
    home.sweep()
    first, second = [item.line for item in home.run(home.house.audit.after(bob, 0)).items]
    audit.follow([first, second], seq=0, head=audit.START)
    told = {
        "changed": [first.replace('"deleted"', '"expired"'), second],
        "left out": [second],
        "begun anew": [second.replace('"seq":2', '"seq":1')],
    }[lie]
    with pytest.raises(audit.ChainBroken):
        audit.follow(told, seq=0, head=audit.START)
