"""The download of a message's video.age: whole or one range, with every header that keeps a browser from using it."""

import re
from dataclasses import dataclass
from typing import Protocol

from restante.protocol import ijson
from restante.protocol.wire_messages import VIDEO_PIECES, VideoPiece, VideoPieces
from restante.server.asgi import RawHeaders, Receive, Scope, Send, headers_named, respond
from restante.server.blobs.remote import READABLE_S
from restante.server.blobs.store import BlobFile, BlobMissing
from restante.server.errors import Refusal, RetryLater
from restante.server.links.service import GuestLinks
from restante.server.messages.rules import VideoRef
from restante.server.messages.service import Messages
from restante.server.sessions.actor import bearer_of, token_of
from restante.server.sessions.service import Sessions
from restante.server.uploads.durable import BUSY_RETRY_S
from restante.server.uploads.service import Uploads

_RANGE = re.compile(rb"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")
_FIXED = [
    (b"content-type", b"application/octet-stream"),
    (b"content-disposition", b'attachment; filename="video.age"'),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"cache-control", b"private, no-store"),
    (b"accept-ranges", b"bytes"),
]

_PIECES = VIDEO_PIECES.encode()

Headers = list[tuple[bytes, bytes]]


class Unsatisfiable(ValueError):
    """The range is well formed and outside the file, or none at all."""


Ref = VideoRef
"""Where bytes are, for those who give videos from elsewhere."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to ``end``, ``end`` not included."""

    start: int
    end: int


def wanted_span(headers: RawHeaders, *, size: int, etag: bytes) -> Span | None:
    """Decides which bytes a GET asks for; None means the whole file (RFC 9110 section 14).

    One range is served. Several ranges, another unit or a failed If-Range mean the whole file. Raises Unsatisfiable.
    """
    values = headers_named(headers, b"range")
    if not values or not _if_range_holds(headers, etag):
        return None
    if len(values) > 1 or b"," in values[0] or not values[0].startswith(b"bytes="):
        return None
    match = _RANGE.match(values[0])
    if match is None or not (match[1] or match[2]):
        raise Unsatisfiable
    return _span(match[1], match[2], size)


def _span(first: bytes, last: bytes, size: int) -> Span:
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= end:
        raise Unsatisfiable
    return Span(start, end)


def _if_range_holds(headers: RawHeaders, etag: bytes) -> bool:
    values = headers_named(headers, b"if-range")
    return not values or values == [etag]


def is_known(headers: RawHeaders, etag: bytes) -> bool:
    """Tells whether If-None-Match names what is stored (weak comparison)."""
    joined = b",".join(headers_named(headers, b"if-none-match"))
    tags = [tag.strip().removeprefix(b"W/") for tag in joined.split(b",")]
    return joined.strip() == b"*" or etag in tags


def takes_addresses(headers: RawHeaders) -> bool:
    """Tells whether the client can read from addresses that it is given."""
    return any(_PIECES in value for value in headers_named(headers, b"accept"))


class Videos(Protocol):
    """Knows who may have which video."""

    async def find(self, scope: Scope, asked_id: str) -> VideoRef:
        """Where the video is that a request asks for. Raises Refusal."""
        ...


class AccountVideos:
    """Gives a message's video to its sender and recipients."""

    def __init__(self, messages: Messages, sessions: Sessions, uploads: Uploads) -> None:
        self._messages = messages
        self._sessions = sessions
        self._uploads = uploads

    async def find(self, scope: Scope, asked_id: str) -> VideoRef:
        """Where the video is. Raises Refusal not-signed-in, not-found, message-gone."""
        actor = await self._sessions.actor(token_of(scope["headers"]))
        scope["actor"] = self._uploads.actor(actor.account_id)
        return await self._messages.access_video(actor, asked_id)


class GuestVideos:
    """Gives a link's video to those who opened the link."""

    def __init__(self, links: GuestLinks) -> None:
        self._links = links

    async def find(self, scope: Scope, asked_id: str) -> VideoRef:
        """Where the video is. Raises Refusal view-over, link-gone, not-found."""
        row = await self._links.viewed(asked_id, bearer_of(scope["headers"]))
        if row.upload_id is None:
            raise Refusal("not-found")
        return VideoRef(row.upload_id, row.video_bytes, f'"{row.upload_id}"', row.message_expires_at)


class VideoApp:
    """Answers GET and HEAD of /api/v1/messages/{id}/video and /api/v1/links/{id}/video."""

    def __init__(self, uploads: Uploads, videos: Videos) -> None:
        self._uploads = uploads
        self._videos = videos

    async def __call__(self, scope: Scope, _: Receive, send: Send, asked_id: str) -> None:
        """Serves one request. Raises Refusal not-found to everyone else."""
        if scope["method"] not in {"GET", "HEAD"}:
            raise Refusal("method-not-allowed", headers={"allow": "GET, HEAD"})
        video = await self._videos.find(scope, asked_id)
        etag = video.etag.encode()
        if is_known(scope["headers"], etag):
            await _send_empty(send, 304, [*_FIXED, (b"etag", etag)])
            return
        try:
            span = wanted_span(scope["headers"], size=video.size, etag=etag)
        except Unsatisfiable as error:
            nowhere = {"content-range": f"bytes */{video.size}"}
            raise Refusal("range-unsatisfiable", headers=nowhere) from error
        if (
            self._uploads.reads_directly
            and scope["method"] == "GET"
            and video.size
            and takes_addresses(scope["headers"])
        ):
            await self._send_addresses(send, video, span or Span(0, video.size))
            return
        try:
            file = await self._uploads.open_blob(video.blob_id)
        except BlobMissing as error:
            raise Refusal("not-found") from error
        try:
            if span is not None and span.start >= file.size():
                # The disk lost its end. Said like this, a reader knows that nothing more will come.
                raise Refusal("range-unsatisfiable", headers={"content-range": f"bytes */{file.size()}"})
            await self._send(scope, send, video, span, file)
        finally:
            file.close()

    async def _send(
        self, scope: Scope, send: Send, video: VideoRef, span: Span | None, file: BlobFile
    ) -> None:
        whole = Span(0, video.size)
        status, headers = _start(video, span)
        if scope["method"] == "HEAD" or not video.size:
            await _send_empty(send, status, headers)
            return
        path = self._path(scope, video.blob_id) if span is None else None
        first = b"" if path is not None else await self._read_first(file, span or whole)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if path is not None:
            await send({"type": "http.response.pathsend", "path": path})
        else:
            await self._send_pieces(send, file, span or whole, first)

    async def _send_addresses(self, send: Send, video: VideoRef, span: Span) -> None:
        """[Note: Addresses] Whoever says so in Accept reads from the bucket itself; everybody else gets the bytes from here."""
        try:
            parts = await self._uploads.addresses(video.blob_id, span.start, span.end)
        except BlobMissing as error:
            raise Refusal("not-found") from error
        if not parts:  # the bucket lost its end, as above
            raise Refusal("range-unsatisfiable", headers={"content-range": f"bytes */{span.start}"})
        pieces = [VideoPiece(part.offset, part.size, part.url) for part in parts]
        body = ijson.encode(VideoPieces(pieces, READABLE_S))
        headers = [(b"content-type", _PIECES), (b"cache-control", b"private, no-store"), (b"vary", b"accept")]
        await respond(send, 200, headers, body)

    async def _read_first(self, file: BlobFile, span: Span) -> bytes:
        """Reads before anything is answered: a store that is away can be told then, and later only by breaking off. Raises Refusal."""
        try:
            return await self._read(file, span)
        except BlobMissing as error:
            raise Refusal("not-found") from error
        except OSError as error:
            raise RetryLater("busy", seconds=BUSY_RETRY_S) from error

    async def _read(self, file: BlobFile, span: Span) -> bytes:
        most = self._uploads.piece_bytes
        piece = await self._uploads.read_blob(file, span.start, min(most, span.end - span.start))
        if not piece:  # shorter than its message says: nothing more will come
            raise Refusal("range-unsatisfiable", headers={"content-range": f"bytes */{span.start}"})
        return piece

    async def _send_pieces(self, send: Send, file: BlobFile, span: Span, first: bytes) -> None:
        at, piece = span.start, first
        while at < span.end:
            piece = piece or await self._read(file, Span(at, span.end))
            at += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": at < span.end})
            piece = b""

    def _path(self, scope: Scope, blob_id: str) -> str | None:
        """Where the file is, if the ASGI server offers to send it by itself and the store has it as a file."""
        if "http.response.pathsend" not in (scope.get("extensions") or {}):
            return None
        return self._uploads.blob_path(blob_id)


def _start(video: VideoRef, span: Span | None) -> tuple[int, Headers]:
    headers = [*_FIXED, (b"etag", video.etag.encode())]
    if span is None:
        return 200, [*headers, (b"content-length", str(video.size).encode())]
    place = f"bytes {span.start}-{span.end - 1}/{video.size}"
    length = str(span.end - span.start)
    return 206, [*headers, (b"content-range", place.encode()), (b"content-length", length.encode())]


async def _send_empty(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
