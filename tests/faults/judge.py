"""Whether every promise that is written in the book holds, asked of the servers, the database and the bucket once all is well again."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import httpx
from sqlalchemy import Connection, func, select, text

from restante.protocol.audit import ChainBroken, follow
from restante.server.blobs.objects import Objects
from restante.server.db.agreement import DISAGREEMENTS
from restante.server.db.blob_tables import remote_blobs, remote_parts
from restante.server.db.plan_tables import plan_usage
from restante.server.db.tables import accounts, audit, log_entries, messages, outbox
from tests.faults.book import Letter, Someone, Video
from tests.faults.load import Load

TOLD_WITHIN_S = 30.0
ANSWERED_WITHIN_S = 15.0
AT_ONCE = 8
IN_VAIN = 3


async def judge(load: Load) -> list[str]:
    """What the servers tell: every message once, every video as it was sent, every upload to be gone on with."""
    book = load.book
    broken, book.broken = book.broken, []
    load.over.clear()
    for who in {each.recipient.name: each.recipient for each in book.letters.values()}.values():
        sent_to = {each.id: each for each in book.letters.values() if each.recipient == who}
        broken += await _check_box(load, who, "inbox", sent_to)
    for who in {each.sender.name: each.sender for each in book.letters.values()}.values():
        sent_by = {each.id: each for each in book.letters.values() if each.sender == who}
        broken += await _check_box(load, who, "sent", sent_by)
    asking = asyncio.Semaphore(AT_ONCE)

    async def check(letter: Letter) -> list[str]:
        async with asking:
            return await _check_letter(load, letter)

    for found in await asyncio.gather(*map(check, book.acknowledged)):
        broken += found
    claimed = {each.video.id for each in book.letters.values()}
    for video in book.videos:
        if video.id not in claimed:
            broken += await _check_upload(load, video)
    for ear in load.ears:
        wanted = {each.id for each in book.acknowledged if each.recipient == ear.who}
        missed = await ear.catch_up(wanted, within_s=TOLD_WITHIN_S)
        broken += [f"channel of {ear.who.name}: never told of {each}" for each in missed]
        broken += ear.broken
        broken += [f"channel: told {times} times of {each}" for each, times in ear.heard.items() if times > 1]
    return broken + book.broken


async def _get(load: Load, path: str, who: Someone, **more: Any) -> httpx.Response:
    """All is well by now, so an answer is to come soon; 504 stands for none. Who waited in vain a few times waits no more."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWERED_WITHIN_S if load.book.answers["none"] < IN_VAIN else 1):
            answer = await load.insist("GET", path, headers=who.headers, **more)
            assert answer is not None
            return answer
    load.book.answers["none"] += 1
    return httpx.Response(504)


async def _check_box(load: Load, who: Someone, box: str, wanted: dict[str, Letter]) -> list[str]:
    listed: Counter[str] = Counter()
    gone: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        answer = await _get(load, f"/api/v1/{box}", who, params={"limit": "100", **cursor})
        if answer.status_code != 200:
            return [f"{box} of {who.name}: {answer.status_code}"]
        page = answer.json()
        for item in page["items"]:
            listed[item["id"]] += 1
            if item.get("deleted_at") is not None:
                gone.add(item["id"])
        if page.get("cursor") is None:
            break
        cursor = {"cursor": page["cursor"]}
    broken = [
        f"{box} of {who.name}: {each} is listed {times} times" for each, times in listed.items() if times > 1
    ]
    broken += [f"{box} of {who.name}: {each}, which nobody sent" for each in listed if each not in wanted]
    for letter in wanted.values():
        there = letter.id in listed and letter.id not in gone
        if letter.acknowledged and letter.deleted == "no" and not there:
            broken.append(f"{box} of {who.name}: {letter.id} was acknowledged and is gone")
        if letter.deleted == "acknowledged" and there:
            broken.append(f"{box} of {who.name}: {letter.id} was deleted and is there")
    return broken


async def _check_letter(load: Load, letter: Letter) -> list[str]:
    if letter.deleted != "no":
        return []
    path, broken = f"/api/v1/messages/{letter.id}", []
    video = await _get(load, f"{path}/video", letter.recipient)
    if video.content != letter.video.content:
        broken.append(f"{letter.id}: the video differs ({video.status_code}, {len(video.content)} bytes)")
    details = await _get(load, f"{path}/details", letter.recipient)
    if details.content != letter.details:
        broken.append(f"{letter.id}: the details differ ({details.status_code})")
    if letter.marked and (await _get(load, path, letter.recipient)).json().get("played_at") is None:
        broken.append(f"{letter.id}: the mark is gone")
    return broken


async def _check_upload(load: Load, video: Video) -> list[str]:
    """That it stands where it was acknowledged, and can be brought to its end."""
    at = await load.stands(video)
    for _ in range(100):
        if at is None or at == video.size:
            return []
        await load.patch(video, video.content, at, video.size)
        at = await load.stands(video)
    return [f"{video.url}: cannot be brought to its end"]


# What is behind them


def books_balance(connection: Connection, objects: Objects) -> list[str]:
    """What the database and the bucket say: nothing is half there."""
    return [
        *_blobs(connection, objects),
        *_log(connection),
        *_audit(connection),
        *_usage(connection),
        *(
            f"{row[0]}: {wrong}"
            for wrong, ask in DISAGREEMENTS.items()
            for row in connection.execute(text(ask))
        ),
    ]


def tasks(connection: Connection) -> int:
    """Of the outbox, still to do."""
    return connection.execute(select(func.count()).select_from(outbox)).scalar_one()


def _blobs(connection: Connection, objects: Objects) -> list[str]:
    stored, broken = set(objects.names("")), []
    ends: dict[str, int] = {}
    for part in connection.execute(
        select(remote_parts).order_by(remote_parts.c.blob_id, remote_parts.c.offset)
    ):
        if part.offset != ends.get(part.blob_id, 0):
            broken.append(f"{part.blob_id}: a gap or two parts at {part.offset}")
        ends[part.blob_id] = part.offset + part.size
        if part.name not in stored:
            broken.append(f"{part.blob_id}: the object at {part.offset} is missing")
    broken += [
        f"{blob.id}: {blob.size} bytes, but its parts have {ends.get(blob.id, 0)}"
        for blob in connection.execute(select(remote_blobs))
        if blob.size != ends.get(blob.id, 0)
    ]
    return broken


def _log(connection: Connection) -> list[str]:
    leaves = list(connection.execute(select(log_entries.c.leaf).order_by(log_entries.c.leaf)).scalars())
    broken = [] if leaves == list(range(len(leaves))) else ["the log of account records has gaps"]
    count = connection.execute(select(func.count()).select_from(accounts)).scalar_one()
    return (
        broken if count <= len(leaves) else [*broken, f"{count} accounts, {len(leaves)} entries in the log"]
    )


def _audit(connection: Connection) -> list[str]:
    chains: dict[int, list[str]] = {}
    for row in connection.execute(select(audit).order_by(audit.c.account_id, audit.c.seq)):
        chains.setdefault(row.account_id, []).append(row.line)
    broken = []
    for account, lines in chains.items():
        try:
            follow(lines, seq=0, head=None)
        except ChainBroken as error:
            broken.append(f"the chain of account {account} is broken: {error}")
    return broken


def _usage(connection: Connection) -> list[str]:
    sent = select(messages.c.account_id, func.count()).group_by(messages.c.account_id)
    counted = select(plan_usage.c.account_id, func.sum(plan_usage.c.messages)).group_by(
        plan_usage.c.account_id
    )
    there = {account: int(count) for account, count in connection.execute(sent)}
    said = {account: int(count) for account, count in connection.execute(counted)}
    return [] if there == said else [f"messages counted: {said}, sent: {there}"]
