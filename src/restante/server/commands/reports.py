"""`restante operator reports`: what people reported, and what becomes of it."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection

from restante.protocol import ijson
from restante.protocol.ijson import BadJson
from restante.server.abuse import desk
from restante.server.blobs.ledger import Part
from restante.server.blobs.local import LocalBlobs
from restante.server.blobs.store import BlobMissing
from restante.server.commands.office import (
    Misused,
    data_folder,
    day,
    failed,
    in_database,
    note,
    plain,
    print_json,
)
from restante.server.config import from_environment
from restante.server.storage import open_objects
from restante.server.uploads.ledger import parts_of

_PIECE_BYTES = 1 << 20
Row = Any
"""A report, as the desk gives it."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for."""

    folder: Path
    action: str
    report: str
    reason: str
    out: Path | None
    everything: bool


@dataclass(frozen=True, slots=True)
class _Disclosed:
    """A report whose message is to be written out, and where its video lies if that is in a bucket."""

    report: Row
    parts: list[Part]


def reports(
    action: Literal["list", "show", "quarantine", "ban", "dismiss"],
    report: str = "",
    *,
    data: Path | None = None,
    reason: str = "",
    out: Path | None = None,
    all: bool = False,
    json: bool = False,
) -> int:
    """Works on reports of abuse: lists and shows them, takes messages out of sight, bans, dismisses.

    What is decided, and what is written out, stands in the desk's record.

    Args:
        action: what to do.
        report: the beginning of a report's id.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        reason: why; the people concerned are told.
        out: with show, a folder to write the reported message and its key to.
        all: with list, also those that were decided.
        json: prints JSON.
    """
    try:
        folder = data_folder(data)
        wish = _Wish(folder, action, report, reason, out, everything=all)
        told = in_database(folder, lambda connection: _act(connection, wish))
        if isinstance(told, _Disclosed):
            _write_out(told, folder, wish.out or folder)
            told = _line(told.report)
    except Misused as error:
        return failed(error)
    _show(told, as_json=json)
    return 0


def _act(connection: Connection, wish: _Wish) -> list[dict[str, Any]] | dict[str, Any] | _Disclosed:
    if wish.action == "list":
        return [_line(each) for each in desk.listed(connection, everything=wish.everything)]
    found, now_ms = _find(connection, wish.report), time.time_ns() // 1_000_000
    if wish.action == "show":
        if wish.out is not None:
            note(connection, wish.folder, "look", found.id, now_ms=now_ms)
            return _Disclosed(found, parts_of(connection, found.upload_id or ""))
        return _line(found)
    if not wish.reason:
        raise Misused("a reason is missing", "Add --reason TEXT; the people concerned are told.")
    try:
        _ACTS[wish.action](connection, found, wish.reason, now_ms=now_ms)
    except desk.NothingToBan:
        raise Misused("a caller without account left this message", "Use quarantine.") from None
    note(connection, wish.folder, wish.action, found.id, wish.reason, now_ms=now_ms)
    return _line(desk.find(connection, found.id))


_ACTS: dict[str, Callable[..., None]] = {
    "quarantine": desk.quarantine,
    "ban": desk.ban,
    "dismiss": desk.dismiss,
}


def _find(connection: Connection, report: str) -> Row:
    if not report:
        raise Misused("a report's id is missing", "restante operator reports list shows them.")
    try:
        return desk.find(connection, report)
    except desk.NoSuchReport:
        raise Misused(
            f"no report, or more than one, has an id that begins with {report}",
            "restante operator reports list --all shows them.",
        ) from None


def _write_out(disclosed: _Disclosed, folder: Path, out: Path) -> None:
    """Writes what stock age opens: `age -d -i key.txt video.age > video.mp4`."""
    report = disclosed.report
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(out / "key.txt", [f"{_message_key(report.container)}\n".encode()])
    _write(out / "details.age", [bytes(report.details)])
    if report.upload_id is None:
        return
    try:
        _write(out / "video.age", _video_of(folder, report.upload_id, disclosed.parts))
    except BlobMissing:
        (out / "video.age").unlink(missing_ok=True)
        print("warning: the video is gone from the server", file=sys.stderr)


def _video_of(folder: Path, upload_id: str, parts: list[Part]) -> Iterator[bytes]:
    """The bytes of a video, wherever this installation keeps them. Raises BlobMissing."""
    objects = open_objects(from_environment(data=folder))
    if objects is None:
        blob = LocalBlobs(folder / "blobs").open(upload_id)
        yield from (blob.read(at, _PIECE_BYTES) for at in range(0, blob.size(), _PIECE_BYTES))
        blob.close()
        return
    if not parts:
        raise BlobMissing(upload_id)
    yield from (objects.get(part.name, 0, part.size) for part in parts)


def _write(path: Path, pieces: Any) -> None:
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.writelines(pieces)


def _message_key(container: bytes) -> str:
    try:
        return str(ijson.loads(bytes(container).split(b"\n", 3)[3])["key"])
    except (BadJson, KeyError, IndexError) as error:
        raise Misused("the report has no message key", "Nothing of it can be opened.") from error


def _line(report: Row) -> dict[str, Any]:
    return {
        "id": report.id,
        "state": report.state,
        "reason": report.reason,
        "note": report.note,
        "reporter": report.reporter or None,
        "sender": report.sender or None,
        "message": report.message_id,
        "received_at": report.received_at,
        "created_at": report.created_at,
        "decision": report.decision or None,
        "decided_at": report.decided_at,
    }


def _show(told: list[dict[str, Any]] | dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    if isinstance(told, list):
        for each in told:
            print("  ".join([day(each["created_at"]), each["id"], each["state"], each["reason"], _who(each)]))
        if not told:
            print("No report waits.", file=sys.stderr)
        return
    for key, value in told.items():
        text = day(value) if key.endswith("_at") else value
        print(f"{key}: {plain(str(text if value is not None else '-'))}")


def _who(report: dict[str, Any]) -> str:
    return f"{report['sender'] or 'a caller'} to {report['reporter'] or 'a deleted account'}"
