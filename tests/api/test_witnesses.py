"""Witnesses: each checkpoint is published with what they signed; a log that was rewritten gets no signature."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from restante.server.transparency import witnesses
from restante.signing.keys import SigningKey
from restante.transparency.checkpoints import origin_of
from restante.transparency.errors import LogMalformed, LogSignatureBad, LogUnwitnessed
from restante.transparency.notes import NoteKey, cosign
from restante.transparency.watching import Seen, follow
from restante.transparency.witnessing import Witness as Named
from restante.transparency.witnessing import cosignature, size_told
from tests.api.inside import Inside, opened
from tests.api.test_desk import DESK, make_operator
from tests.api.told import until
from tests.databases import copy
from tests.transparency.growing import GrowingLog, numbered
from tests.transparency.test_following import note_of
from tests.transparency.witness import TEXT, Answer, Witness, witnessing

ORIGIN = origin_of("localhost")
LOG_KEY = SigningKey(bytes(range(32)))
LOG = NoteKey(ORIGIN, LOG_KEY.public)


def awaited(scenario: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @functools.wraps(scenario)
    def test(*given: Any, **named: Any) -> None:
        async def main() -> None:
            await asyncio.wait_for(scenario(*given, **named), 60)

        asyncio.run(main())

    return test


@pytest.fixture
def witness() -> Iterator[Witness]:
    with witnessing(Witness(LOG)) as one:
        yield one


@asynccontextmanager
async def witnessed(folder: Path, *named: Witness) -> AsyncIterator[tuple[Inside, list[str]]]:
    """A house whose log the witnesses know, and why they did not sign, as its log tells."""
    failures: list[str] = []

    def hear(event: str, fields: dict[str, str | float | None]) -> None:
        if event == "witness-failed":
            failures.append(str(fields["reason"]))

    settings = tuple(one.setting for one in named)
    async with opened(folder, log_key=LOG_KEY, witnesses=settings) as inside:
        inside.house.log.listen(hear)
        yield inside, failures


async def believed(inside: Inside, *required: Witness) -> Seen:
    """What a client takes that requires these witnesses."""
    note = (await inside.client.get("/tlog/checkpoint")).content
    return follow(
        None, LOG, note, origin=ORIGIN, fetch=lambda _: b"", witnesses=[one.key for one in required]
    )


@awaited
async def test_a_checkpoint_is_shown_with_what_its_witness_signed(tmp_path: Path, witness: Witness) -> None:
    stranger = Witness(LOG)
    async with witnessed(tmp_path, witness) as (inside, failures):
        for size, name in enumerate(("ann", "bob", "carl"), 1):
            await inside.sign_up(name)
            assert (await believed(inside, witness)).checkpoint.size == size
        with pytest.raises(LogUnwitnessed):
            await believed(inside, stranger)
        assert (await inside.client.get("/tlog/witnesses")).text == f"{witness.key}\n"
    assert witness.latest is not None
    assert witness.latest.size == 3
    assert failures == []


@awaited
async def test_a_witness_is_asked_without_anybody_who_looks(tmp_path: Path, witness: Witness) -> None:
    async with witnessed(tmp_path, witness) as (inside, _):
        await inside.sign_up("ann")
        await until(inside, lambda: bool(witness.latest and witness.latest.size))


@awaited
async def test_a_witness_that_is_away_holds_up_nobody(tmp_path: Path, witness: Witness) -> None:
    with witnessing(Witness(LOG, name="other.example")) as other:
        other.is_there = False
        async with witnessed(tmp_path, witness, other) as (inside, failures):
            await inside.sign_up("ann")
            await believed(inside, witness)
            began = time.monotonic()
            with pytest.raises(LogUnwitnessed):
                await believed(inside, witness, other)
            assert time.monotonic() - began < witnesses.WAIT_S / 2, "it is known that nobody is there"
            assert set(failures) == {"answered 503"}
            other.is_there = True
            inside.clock.ahead_s += witnesses.LONGEST_PAUSE_S
            assert (await believed(inside, witness, other)).checkpoint.size == 1


@awaited
async def test_the_doctor_sees_whether_a_witness_answers_and_has_signed(
    tmp_path: Path, witness: Witness
) -> None:
    async with witnessed(tmp_path, witness) as (inside, _):
        ann = await make_operator(inside, "ann")

        async def looked_at() -> tuple[str, str]:
            health = (await inside.client.get(f"{DESK}/health", headers=ann)).json()
            (found,) = [one for one in health["items"] if one["name"] == "witnesses"]
            assert bool(found["cure"]) == (found["state"] != "good")
            return found["state"], found["text"]

        await believed(inside, witness)
        assert await looked_at() == ("good", "each of 1 answers and has signed")
        witness.log_key = Witness(LOG).key
        await inside.sign_up("bob")
        assert await looked_at() == ("poor", "not signed the newest checkpoint: witness.example")
        witness.is_there = False
        assert await looked_at() == ("bad", "witness.example answers 503")


@awaited
async def test_what_was_signed_is_shown_after_a_restart(tmp_path: Path, witness: Witness) -> None:
    async with witnessed(tmp_path, witness) as (inside, _):
        await inside.sign_up("ann")
        await believed(inside, witness)
    witness.is_there = False
    async with witnessed(tmp_path, witness) as (inside, _):
        assert (await believed(inside, witness)).checkpoint.size == 1
        await inside.sign_up("bob")
        with pytest.raises(LogUnwitnessed):
            await believed(inside, witness)
        assert (await believed(inside)).checkpoint.size == 2, "who requires nobody is not held up"


@awaited
async def test_a_log_that_went_back_gets_no_signature(tmp_path: Path, witness: Witness) -> None:
    """The database is put back to an older state: shorter, then as long with another end, then longer than what was signed."""
    before, folder = tmp_path / "before", tmp_path / "data"
    folder.mkdir()
    async with witnessed(folder, witness) as (inside, _):
        await inside.sign_up("ann")
        await believed(inside, witness)
    copy(folder, before)
    async with witnessed(folder, witness) as (inside, _):
        await inside.sign_up("bob")
        await believed(inside, witness)
    signed = witness.latest
    async with witnessed(before, witness) as (inside, failures):
        assert (await believed(inside, witness)).checkpoint.size == 1, "this it did sign once"
        for name, why in (("carl", "has seen another log"), ("dora", "answered 422")):
            await inside.sign_up(name)
            with pytest.raises(LogUnwitnessed):
                await believed(inside, witness)
            assert failures[-1] == why
            inside.clock.ahead_s += witnesses.LONGEST_PAUSE_S
    assert witness.latest is signed


@awaited
async def test_a_log_that_is_shorter_gets_no_signature(tmp_path: Path, witness: Witness) -> None:
    ahead = GrowingLog(numbered(9))
    assert witness.judge(b"old 0\n\n" + note_of(ahead, key=LOG_KEY, origin=ORIGIN))[0] == 200
    async with witnessed(tmp_path, witness) as (inside, failures):
        await inside.sign_up("ann")
        with pytest.raises(LogUnwitnessed):
            await believed(inside, witness)
        assert failures[-1] == "has seen more"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, TEXT, b""), "LogSignatureBad"),
        ((200, TEXT, b"signed\n"), "LogMalformed"),
        ((200, TEXT, b"x" * 70_000), "too long an answer"),
        ((409, "text/x.tlog.size", b"-1\n"), "LogMalformed"),
        ((409, TEXT, b"0\n"), "answered 409"),
        ((409, "text/x.tlog.size", b"0\n"), "has seen another log"),
        ((302, TEXT, b""), "answered 302"),
    ],
)
@awaited
async def test_an_answer_that_is_no_signature_is_not_shown(
    tmp_path: Path, witness: Witness, monkeypatch: pytest.MonkeyPatch, answer: Answer, why: str
) -> None:
    monkeypatch.setattr(witness, "judge", lambda _: answer)
    async with witnessed(tmp_path, witness) as (inside, failures):
        await inside.sign_up("ann")
        note = (await inside.client.get("/tlog/checkpoint")).content
        assert note.count(b"\xe2\x80\x94 ") == 1, "the log's own signature"
        assert failures[-1] == why


@awaited
async def test_without_witnesses_nobody_is_asked(tmp_path: Path, witness: Witness) -> None:
    async with witnessed(tmp_path) as (inside, _):
        await inside.sign_up("ann")
        assert (await believed(inside)).checkpoint.size == 1
        assert (await inside.client.get("/tlog/witnesses")).text == ""
    assert witness.asked == []


def test_only_the_line_of_the_named_witness_is_taken() -> None:
    note = note_of(GrowingLog(numbered(3)))
    one, other = Witness(LOG), Witness(LOG, name="other.example")
    lines = b"".join(
        cosign(note, each.name, each.signer, time_s=1_800_000_000)[len(note) :] for each in (other, one)
    )
    taken = cosignature(note, lines, one.key)
    assert lines.endswith(taken)
    assert taken.count(b"\n") == 1
    with pytest.raises(LogSignatureBad):
        cosignature(note_of(GrowingLog(numbered(4))), lines, one.key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://witness.example",
        "https://witness.example LOG",
        "ftp://witness.example KEY",
        "https://ann@witness.example KEY",
        "https://witness.example/?x KEY",
        "KEY",
    ],
)
def test_what_is_no_witness_is_refused(text: str) -> None:
    key = str(Witness(LOG).key)
    Named.parse(f"https://witness.example {key}")
    with pytest.raises(LogMalformed):
        Named.parse(text.replace("LOG", str(LOG)).replace("KEY", key))


@pytest.mark.parametrize("body", [b"", b"x", b"01\n", b"1 \n", b"1\n1\n", b"99999999999999999\n"])
def test_what_is_no_size_is_refused(body: bytes) -> None:
    with pytest.raises(LogMalformed):
        size_told(body)
