"""A whole server in this process on a Disk, driven through its ASGI door, with a record of what it acknowledged.

An answer of 2xx is a promise. `Ledger` writes down each promise at the moment it is received; `check` asks a server on the
disk that is left whether all of them hold.
"""

import asyncio
import contextlib
import functools
import hashlib
import io
import itertools
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
from litestar import Litestar
from sqlalchemy import Engine

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.ijson import encode
from restante.server.app import assemble, build_litestar
from restante.server.clock import SystemClock
from restante.server.config import Settings
from restante.server.db.engine import sqlite_engine
from restante.server.edge.webapp import WebApp
from restante.server.house import House, furnish
from restante.server.storage import Storage
from tests.anomaly.apsw_dbapi import Connection, module
from tests.anomaly.crashdisk import CrashBlobs, Disk, DiskVFS
from tests.api.people import sealed, sign_up_form

_names = itertools.count()
SETTINGS = Settings(
    data=Path("unused"),
    keep_free_bytes=0,
    rate_sign_in="100000/1s",
    rate_sign_up="100000/1s",
    rate_uploads="100000/1s",
    rate_sends="100000/1s",
)
TUS = {"Tus-Resumable": "1.0.0"}


def engine_on(disk: Disk, *, synchronous: str = "FULL") -> Engine:
    """SQLite in WAL on the disk; one connection, because a VFS in Python has no shared memory."""
    engine, inserted = _drive(synchronous)
    engine.dispose()
    inserted[:] = [disk]
    return engine


@functools.cache
def _drive(synchronous: str) -> tuple[Engine, list[Disk]]:
    """One engine for one disk after the other, since a new one would compile every statement anew."""
    inserted: list[Disk] = []
    engine = sqlite_engine(
        "restante.sqlite3",
        connect=lambda path: Connection(path, DiskVFS(f"disk{next(_names)}", *inserted)),
        module=module(),
        pragmas=("locking_mode=EXCLUSIVE", "journal_mode=WAL", f"synchronous={synchronous}"),
    )
    return engine, inserted


@functools.cache
def _framework() -> Litestar:
    with tempfile.TemporaryDirectory() as folder:
        house = furnish(Settings(data=Path(folder)), SystemClock())
        litestar = build_litestar(house)
        house.database.stop()
    return litestar


def _litestar(house: House) -> Litestar:
    """The JSON side, built once and moved from house to house: building it takes longer than a trial."""
    litestar = _framework()
    litestar.state.house = house
    return litestar


class Door(Protocol):
    """A server that can be asked, and whose disk can be looked at."""

    client: httpx.AsyncClient

    def stored(self, upload_id: str) -> bytes:
        """The bytes of a blob on the disk."""
        ...


class World(contextlib.AbstractAsyncContextManager["World"]):
    """One server in this process; `async with` opens it, and leaving is a death without goodbye."""

    def __init__(
        self, storage: Storage, stored: Callable[[str], bytes], *, settings: Settings = SETTINGS
    ) -> None:
        self.log = io.StringIO()
        self.stored = stored
        self.house: House = furnish(settings, SystemClock(), storage, log_to=self.log)
        transport = httpx.ASGITransport(
            assemble(self.house, _litestar(self.house), WebApp({})), raise_app_exceptions=False
        )
        self.failures: list[int] = []
        self.client = httpx.AsyncClient(
            transport=transport,
            base_url="http://world",
            timeout=20,
            event_hooks={"response": [self._note_failure]},
        )

    @classmethod
    def on_disk(cls, disk: Disk, *, synchronous: str = "FULL") -> "World":
        """A server on a disk that can lose power."""
        storage = Storage(engine_on(disk, synchronous=synchronous), (), CrashBlobs(disk))
        world = cls(storage, lambda upload_id: bytes(disk.files[f"blob/{upload_id}"].current))
        if synchronous != "FULL":
            world.house.database._assert_safe = lambda _: None  # type: ignore[method-assign] # the negative control
        return world

    async def _note_failure(self, response: httpx.Response) -> None:
        if response.status_code >= 400:
            self.failures.append(response.status_code)

    async def __aenter__(self) -> Self:
        await self.house.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()
        await self.house.jobs.stop()
        # Nobody waits for it any more, but a thread of each world would pile up.
        await self.house.uploads._durable.stop()
        await asyncio.to_thread(self.house.database.stop)


@dataclass
class Upload:
    """One video on its way: what was sent, and how much of it was promised."""

    id: str
    content: bytes
    promised: int = 0
    finished: bool = False


@dataclass
class Ledger:
    """Every promise the server made."""

    uploads: dict[str, Upload] = field(default_factory=dict)
    messages: dict[str, tuple[Upload, bytes]] = field(default_factory=dict)
    marked: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    unsure_deletes: set[str] = field(default_factory=set)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, dict[str, list[bytes]]] = field(default_factory=dict)
    ended_tokens: list[str] = field(default_factory=list)
    removed_uploads: list[str] = field(default_factory=list)


Headers = dict[str, str]


@dataclass
class Pair:
    """Two accounts on a disk, by their authorization: ann sends, bob receives."""

    ann: Headers
    bob: Headers


async def people(door: Door) -> Pair:
    """Signs up the two."""
    made = []
    for name in ("ann", "bob"):
        answer = await door.client.post("/api/v1/accounts", json=sign_up_form(name))
        assert answer.status_code == 201, answer.text
        made.append({"authorization": f"Bearer {answer.json()['token']}"})
    return Pair(*made)


async def work(door: Door, pair: Pair, ledger: Ledger, *, seed: int, messages: int = 2) -> None:
    """Uploads, sends, marks and deletes, two at a time, until all is done or the server is dead."""
    lanes = (_one_sender(door, pair, ledger, random.Random(f"{seed}.{lane}"), messages) for lane in range(2))
    for outcome in await asyncio.gather(*lanes, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, httpx.TransportError):
            raise outcome


async def _one_sender(door: Door, pair: Pair, ledger: Ledger, chance: random.Random, messages: int) -> None:
    for number in range(messages):
        upload = await send_upload(door, pair, ledger, chance)
        if upload is None:
            return
        message_id = await send_message(door, pair, ledger, upload, chance)
        if message_id is None:
            return
        if chance.random() < 0.5 or number == 0:
            answer = await door.client.post(
                f"/api/v1/messages/{message_id}/marks", json={"mark": "played"}, headers=pair.bob
            )
            if answer.is_success:
                ledger.marked.add(message_id)
        if number == 0 or chance.random() < 0.4:
            await delete(door, pair, ledger, message_id)


async def send_upload(door: Door, pair: Pair, ledger: Ledger, chance: random.Random) -> Upload | None:
    """Uploads random bytes in random pieces, length named last; None when the server failed."""
    answer = await door.client.post(
        "/api/v1/uploads", headers={**TUS, **pair.ann, "Upload-Defer-Length": "1"}
    )
    if not answer.is_success:
        return None
    content = chance.randbytes(chance.randint(1, 60_000))
    upload = Upload(answer.headers["location"].rpartition("/")[2], content)
    ledger.uploads[upload.id] = upload
    while upload.promised < len(content):
        end = min(len(content), upload.promised + chance.randint(1, 30_000))
        if not await patch(door, pair, upload, end):
            return None
    return upload


async def patch(door: Door, pair: Pair, upload: Upload, end: int) -> bool:
    headers = {
        **TUS,
        **pair.ann,
        "Upload-Offset": str(upload.promised),
        "Content-Type": "application/offset+octet-stream",
    }
    if end == len(upload.content):
        headers["Upload-Length"] = str(end)
    answer = await door.client.patch(
        f"/api/v1/uploads/{upload.id}", headers=headers, content=upload.content[upload.promised : end]
    )
    if not answer.is_success:
        return False
    upload.promised = int(answer.headers["upload-offset"])
    upload.finished = end == len(upload.content)
    return True


def send_parts(message_id: str, upload: Upload, details: bytes) -> dict[str, tuple[str, bytes, str]]:
    """The multipart body of a send from ann to bob."""
    claim = b64(hashlib.sha256(details).digest())
    head = {
        "id": message_id,
        "kind": "video",
        "details_sha256": claim,
        "recipients": ["bob"],
        "upload": upload.id,
    }
    binary = "application/octet-stream"
    return {
        "message": ("message", encode(head), "application/json"),
        "details": ("details", details, binary),
        "envelope:bob": ("envelope", sealed(900), binary),
        "sent": ("sent", sealed(900), binary),
    }


async def send_message(
    door: Door, pair: Pair, ledger: Ledger, upload: Upload, chance: random.Random
) -> str | None:
    message_id = new_id(Prefix.MESSAGE, random=chance.randbytes)
    details = sealed(500)
    key = {**pair.ann, "Idempotency-Key": f"key-{message_id[4:]}"}
    answer = await door.client.post(
        "/api/v1/messages", headers=key, files=send_parts(message_id, upload, details)
    )
    if not answer.is_success:
        return None
    ledger.messages[message_id] = (upload, details)
    return message_id


async def delete(door: Door, pair: Pair, ledger: Ledger, message_id: str) -> None:
    ledger.unsure_deletes.add(message_id)
    answer = await door.client.delete(f"/api/v1/messages/{message_id}?for=everyone", headers=pair.ann)
    if answer.is_success:
        ledger.deleted.add(message_id)


async def check(door: Door, pair: Pair, ledger: Ledger) -> list[str]:
    """Asks whether every promise holds; returns the broken ones in words."""
    broken: list[str] = []
    claimed = {upload.id for upload, _ in ledger.messages.values()}
    for upload in ledger.uploads.values():
        if upload.id not in claimed:
            broken += await _check_upload(door, pair, upload)
    listed = await door.client.get("/api/v1/inbox?limit=100", headers=pair.bob)
    assert listed.status_code == 200, listed.text
    items = listed.json()["items"]
    visible = {item["id"]: item for item in items if item.get("deleted_at") is None}
    if len(items) != len({item["id"] for item in items}):
        broken.append("a message is listed twice")
    for message_id in ledger.messages:
        broken += await _check_message(door, pair, ledger, message_id, visible)
    return broken


async def _check_upload(door: Door, pair: Pair, upload: Upload) -> list[str]:
    head = await door.client.head(f"/api/v1/uploads/{upload.id}", headers={**TUS, **pair.ann})
    if head.status_code != 200:
        return [f"upload {upload.id}: HEAD {head.status_code} after {upload.promised} bytes were promised"]
    offset = int(head.headers["upload-offset"])
    if not upload.promised <= offset <= len(upload.content):
        return [f"upload {upload.id}: offset {offset}, promised {upload.promised}"]
    stored = door.stored(upload.id)[: upload.promised]
    if stored != upload.content[: upload.promised]:
        return [f"upload {upload.id}: promised bytes are different"]
    if offset < len(upload.content):
        upload.promised = offset
        if door.stored(upload.id) == upload.content[:offset] and not await patch(
            door, pair, upload, len(upload.content)
        ):
            return [f"upload {upload.id}: cannot be resumed at {offset}"]
    return []


async def _check_message(
    door: Door, pair: Pair, ledger: Ledger, message_id: str, visible: dict[str, dict[str, object]]
) -> list[str]:
    if message_id in ledger.deleted:
        return [f"message {message_id}: deleted, and visible again"] if message_id in visible else []
    if message_id not in visible:
        return [] if message_id in ledger.unsure_deletes else [f"message {message_id}: acknowledged and gone"]
    broken = []
    upload, details = ledger.messages[message_id]
    video = await door.client.get(f"/api/v1/messages/{message_id}/video", headers=pair.bob)
    if video.content != upload.content:
        broken.append(f"message {message_id}: the video differs ({video.status_code})")
    found = await door.client.get(f"/api/v1/messages/{message_id}/details", headers=pair.bob)
    if found.content != details:
        broken.append(f"message {message_id}: the details differ ({found.status_code})")
    if message_id in ledger.marked and visible[message_id].get("played_at") is None:
        broken.append(f"message {message_id}: the mark is gone")
    return broken
