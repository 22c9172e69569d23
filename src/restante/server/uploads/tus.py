"""tus 1.0.0 over plain ASGI: the core and the extensions named in EXTENSIONS (docs/reference/uploads.md).

[Note: No 429 on the way] Clients give an upload up at 404, 408 and 429 but come back after 423, 503 and 507. So limits stand
at creation only, and whatever passes by itself is answered 423, 503 or 507 with Retry-After.
"""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from enum import Enum, auto
from functools import lru_cache
from typing import Protocol

from restante.server.asgi import Receive, Scope, Send, headers_named, respond
from restante.server.blobs.remote import Overtaken
from restante.server.blobs.store import BlobsFull
from restante.server.errors import Refusal, RetryLater
from restante.server.sessions.actor import Caller, token_of
from restante.server.sessions.service import Sessions
from restante.server.uploads import rules
from restante.server.uploads.durable import BUSY_RETRY_S, full_or_busy
from restante.server.uploads.opened import Fenced, Lease, OpenUpload
from restante.server.uploads.rules import Append
from restante.server.uploads.service import Uploads

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,termination,expiration"
COLLECTION = "/api/v1/uploads"
_RESUMABLE = (b"tus-resumable", VERSION.encode())
_CLOSE = {"connection": "close"}
_OVERRIDABLE = frozenset({"PATCH", "DELETE"})

Headers = list[tuple[bytes, bytes]]
Handler = Callable[[Scope, Receive, OpenUpload], Awaitable[tuple[int, Headers]]]


class Ending(Enum):
    """How a body ended."""

    COMPLETE = auto()
    CUT = auto()
    STALLED = auto()
    OVERLONG = auto()
    FULL = auto()
    FENCED = auto()


class Callers(Protocol):
    """Knows whom an account lets in without one."""

    async def caller(self, token: str) -> Caller | None:
        """Who has this capability of a call; None for another kind of token. Raises Refusal call-over."""
        ...


class TusApp:
    """Answers everything under /api/v1/uploads; ``upload_id_path`` is what follows, empty for the collection."""

    def __init__(self, uploads: Uploads, sessions: Sessions, callers: Callers) -> None:
        self._uploads = uploads
        self._callers = callers
        self._sessions = sessions
        self._handlers: dict[str, Handler] = {
            "HEAD": self._head,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send, upload_id_path: str) -> None:
        """Serves one request; refusals leave as exceptions, with the tus headers on them."""
        try:
            if scope["method"] == "OPTIONS":
                status, headers = 204, self._options()
            elif upload_id_path:
                status, headers = await self._on_upload(scope, receive, upload_id_path)
            else:
                status, headers = await self._on_collection(scope, receive)
        except Refusal as refusal:
            refusal.headers["tus-resumable"] = VERSION
            raise
        await respond(send, status, [_RESUMABLE, *headers])

    def _options(self) -> Headers:
        return [
            (b"tus-version", VERSION.encode()),
            (b"tus-extension", EXTENSIONS.encode()),
            (b"tus-max-size", _digits(self._uploads.most_bytes)),
        ]

    async def _on_collection(self, scope: Scope, receive: Receive) -> tuple[int, Headers]:
        if scope["method"] != "POST":
            raise Refusal("method-not-allowed", headers={"allow": "POST, OPTIONS"})
        _check_version(scope)
        return await self._post(scope, receive)

    async def _on_upload(self, scope: Scope, receive: Receive, upload_id: str) -> tuple[int, Headers]:
        handler = self._handlers.get(_method(scope))
        if handler is None:
            raise Refusal("method-not-allowed", headers={"allow": "HEAD, PATCH, DELETE, OPTIONS"})
        _check_version(scope)
        token = token_of(scope["headers"])
        async with self._uploads.access_upload(upload_id, token, self._sessions.actor) as upload:
            scope["actor"] = self._uploads.actor(upload.account_id)
            return await handler(scope, receive, upload)

    async def _post(self, scope: Scope, receive: Receive) -> tuple[int, Headers]:
        token = token_of(scope["headers"])
        who = await self._callers.caller(token) or await self._sessions.actor(token)
        scope["actor"] = self._uploads.actor(who.account_id)
        headers = scope["headers"]
        length = rules.announced_length(headers)
        first = Append(0, rules.body_bytes(headers), None)
        rules.check_metadata(headers)
        if headers_named(headers, b"upload-concat"):
            raise Refusal("bad-request", detail="concatenation is not offered")
        if first.body_bytes != 0:
            rules.check_content_type(headers)
        rules.check_fits(length, first, size=0, most=self._uploads.most_bytes)
        created = await self._uploads.create(who, length=length)
        answer: Headers = [
            (b"location", f"{COLLECTION}/{created.upload.id}".encode()),
            (b"upload-capability", created.capability.encode()),
        ]
        with self._uploads.using(created.upload) as upload:
            if first.body_bytes != 0:
                await self._append(receive, upload, first)
            return 201, [*answer, (b"upload-offset", _digits(upload.size)), *_expires(upload)]

    async def _head(self, _: Scope, __: Receive, upload: OpenUpload) -> tuple[int, Headers]:
        """The client lost its way: whoever still writes for it lets go, so that the offset told stays true."""
        upload.fence()
        await self._uploads.take(upload)
        offset = await self._uploads.acknowledge(upload)
        length = (
            (b"upload-defer-length", b"1")
            if upload.length is None
            else (b"upload-length", _digits(upload.length))
        )
        return 200, [
            (b"upload-offset", _digits(offset)),
            length,
            (b"cache-control", b"no-store"),
            *_expires(upload),
        ]

    async def _patch(self, scope: Scope, receive: Receive, upload: OpenUpload) -> tuple[int, Headers]:
        append = rules.read_append(scope["headers"])
        offset = await self._append(receive, upload, append)
        return 204, [(b"upload-offset", _digits(offset)), *_expires(upload)]

    async def _delete(self, _: Scope, __: Receive, upload: OpenUpload) -> tuple[int, Headers]:
        await self._uploads.terminate(upload)
        return 204, []

    async def _append(self, receive: Receive, upload: OpenUpload, append: Append) -> int:
        """Appends a body and returns the offset that may be told. What arrived stays, however the body ends."""
        if upload.finished_at is None and append.offset == upload.size:
            async with self._uploads.appending(upload) as lease:
                if upload.finished_at is None:
                    return await self._append_leased(receive, lease, append)
        return self._answer_repeated(upload, append)

    def _answer_repeated(self, upload: OpenUpload, append: Append) -> int:
        if upload.finished_at is None or upload.length is None:
            raise Refusal("offset-mismatch", headers=dict(_CLOSE))
        if not rules.repeats_the_end(append, length=upload.length):
            raise Refusal("upload-finished", headers=dict(_CLOSE))
        return upload.length

    async def _append_leased(self, receive: Receive, lease: Lease, append: Append) -> int:
        upload, most = lease.upload, self._uploads.most_bytes
        length = rules.settled_length(upload.length, append, size=upload.size)
        rules.check_fits(length, append, size=upload.size, most=most)
        if length is not None and upload.length is None:
            await self._uploads.declare_length(upload, length)
        ending = Ending.COMPLETE
        if append.body_bytes != 0:
            ending = await _take_body(
                lease, receive, append, limit=most if length is None else length, uploads=self._uploads
            )
        offset = await self._uploads.acknowledge(upload)
        if ending is not Ending.COMPLETE:
            raise self._refused(ending, upload)
        return offset

    def _refused(self, ending: Ending, upload: OpenUpload) -> Refusal:
        if ending is Ending.CUT:
            return Refusal("bad-length", detail="the body ended early", headers=dict(_CLOSE))
        if ending is Ending.OVERLONG:
            limit = self._uploads.most_bytes if upload.length is None else upload.length
            return Refusal("too-large", limit=limit, headers=dict(_CLOSE))
        if ending is Ending.FULL:
            return _closing(full_or_busy(BlobsFull()))
        if ending is Ending.FENCED and upload.gone:
            return Refusal("upload-gone", headers=dict(_CLOSE))
        if ending is Ending.FENCED and not self._uploads.stopping:
            return _closing(RetryLater("locked", seconds=BUSY_RETRY_S))
        return _closing(RetryLater("busy", seconds=BUSY_RETRY_S))


async def _take_body(
    lease: Lease, receive: Receive, append: Append, *, limit: int, uploads: Uploads
) -> Ending:
    """Writes the body as it comes, until it ends, is cut, does not fit, or somebody else writes."""
    rest = append.body_bytes
    try:
        async with asyncio.timeout(None) as scope:
            with lease.noticing(scope):
                while rest is None or rest > 0:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return Ending.STALLED if message.get("timed_out") else Ending.CUT
                    data: bytes = message.get("body", b"")
                    if lease.upload.size + len(data) > limit:
                        return Ending.OVERLONG
                    if data:
                        lease.append(data, now_ms=uploads.now_ms())
                        await uploads.relieve(lease)
                    if rest is not None:
                        rest -= len(data)
                    if not message.get("more_body", False):
                        break
    except (TimeoutError, Fenced, Overtaken):
        return Ending.FENCED
    except BlobsFull:
        return Ending.FULL
    return Ending.CUT if rest else Ending.COMPLETE


def _method(scope: Scope) -> str:
    """The method meant: X-HTTP-Method-Override counts only on a POST to an upload, for what a form cannot send."""
    method: str = scope["method"]
    override = headers_named(scope["headers"], b"x-http-method-override")
    if method == "POST" and len(override) == 1 and (meant := override[0].decode("latin-1")) in _OVERRIDABLE:
        return meant
    return method


def _check_version(scope: Scope) -> None:
    if headers_named(scope["headers"], b"tus-resumable") != [VERSION.encode()]:
        raise Refusal("tus-version", headers={"tus-version": VERSION})


def _expires(upload: OpenUpload) -> Headers:
    at_s = rules.expires_at_ms(upload.finished_at, upload.last_byte_ms) // 1000
    return [(b"upload-expires", _date(at_s))]


@lru_cache
def _date(at_s: int) -> bytes:
    return formatdate(at_s, usegmt=True).encode()


def _closing(refusal: Refusal) -> Refusal:
    refusal.headers |= _CLOSE
    return refusal


def _digits(number: int) -> bytes:
    return str(number).encode()
