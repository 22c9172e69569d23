"""Messages on their way: each a folder with a record (0600, the message key in it) and a spool of ciphertext.

    >>> drafts = Drafts(account.profile.drafts)
    >>> [draft.record.to for draft in drafts.all()]
    []

A draft is made before the first byte is sealed and goes when the server has confirmed the message, not before.
"""

import os
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Literal

import msgspec

from restante.client.errors import DraftBusy, DraftUnknown
from restante.client.files import flush, flush_folder, lock, make_private, write_private
from restante.client.terms import USUAL, Terms
from restante.crypto.age import X25519Identity
from restante.crypto.details import Poster, Video
from restante.protocol import ijson, wire
from restante.protocol.wire_base import MessageKind
from restante.protocol.wire_links import NewLink

Shortening = Literal["refuse", "cut"]
_RECORD = "draft.json"
_SPOOL = "video.age"
_LOCK = "lock"


class Source(msgspec.Struct, frozen=True):
    """The file that is sent, and by what a change of it is noticed; nanoseconds are too many for a JSON number."""

    path: str
    size: int
    mtime_ns: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The send as it is repeated byte for byte until it is answered; binary parts in base64url."""

    idempotency_key: str
    message: wire.Send
    details: str
    envelopes: dict[str, str]
    sent: str
    links: tuple[str, ...] = ()


class LinkDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A guest link to be: whom it is sealed to, and its terms for the server."""

    recipient: str
    terms: NewLink

    def __repr__(self) -> str:
        return "LinkDraft()"


class CallTo(msgspec.Struct, frozen=True):
    """Where a call is left, and how its caller calls themselves; the address has a secret in it."""

    url: str
    name: str | None

    def __repr__(self) -> str:
        return "CallTo()"


class DraftRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``video`` is there once the conversion is complete, ``request`` once the upload is.

    ``captions`` is WebVTT. A take has no ``source``; ``origin`` names the interrupted one that it was made of.
    """

    id: str
    created: int
    key: str
    to: tuple[str, ...]
    source: Source | None
    caption: str | None
    shorten: Shortening
    upload: str | None = None
    video: Video | None = None
    poster: Poster | None = None
    request: Request | None = None
    origin: str | None = None
    captions: str | None = None
    kind: MessageKind = "video"
    words: str | None = None
    """The text, or the reaction, of a message of that kind."""
    reply_to: str | None = None
    terms: Terms = USUAL
    links: tuple[LinkDraft, ...] = ()
    call: CallTo | None = None

    def __repr__(self) -> str:
        return f"DraftRecord({self.id})"


class Draft:
    """One draft on the disk; threads may share it."""

    def __init__(self, folder: Path, record: DraftRecord) -> None:
        self.folder = folder
        self.record = record
        self._lock = Lock()

    @property
    def spool(self) -> Path:
        """The file of ciphertext."""
        return self.folder / _SPOOL

    @property
    def key(self) -> X25519Identity:
        """The message key."""
        return X25519Identity.parse(self.record.key)

    @property
    def is_complete(self) -> bool:
        """Tells whether the whole video is in the spool, so that the file it was made from is needed no more."""
        if self.record.kind != "video":
            return True
        video = self.record.video
        return video is not None and self.spool.exists() and self.spool.stat().st_size == video.size

    def change(self, **fields: object) -> None:
        """Stores changed fields of the record."""
        with self._lock:
            self.record = msgspec.structs.replace(self.record, **fields)
            write_private(self.folder / _RECORD, ijson.encode(self.record))

    def read(self, offset: int, length: int) -> bytes:
        """Reads ciphertext from the spool."""
        with self.spool.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def held(self) -> AbstractContextManager[None]:
        """Keeps other processes away. Raises DraftBusy."""
        return lock(self.folder / _LOCK, busy=DraftBusy())

    def discard(self) -> None:
        """Removes the draft: the record with the key first."""
        (self.folder / _RECORD).unlink(missing_ok=True)
        flush_folder(self.folder)
        shutil.rmtree(self.folder)


class Spool:
    """The growing file of ciphertext; what ``append`` returned from can be read by the uploading thread."""

    def __init__(self, draft: Draft) -> None:
        self._file: BinaryIO = os.fdopen(
            os.open(draft.spool, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0
        )
        self.size = 0

    def append(self, data: bytes) -> None:
        """Writes to the end."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]
        self.size += len(data)

    def finish(self) -> None:
        """Returns when all of it will survive a power loss."""
        flush(self._file.fileno())
        self.close()

    def close(self) -> None:
        """Closes the file; what is in it stays."""
        self._file.close()


class Drafts:
    """All drafts of a profile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self, record: DraftRecord) -> Draft:
        """Stores a record; with it the draft exists."""
        draft = Draft(make_private(make_private(self._folder) / record.id), record)
        draft.change()
        flush_folder(self._folder)
        return draft

    def all(self) -> list[Draft]:
        """Lists the drafts, the oldest first."""
        readable = [draft for draft in map(_read, self._folders()) if draft is not None]
        return sorted(readable, key=lambda draft: (draft.record.created, draft.record.id))

    def damaged(self) -> list[Path]:
        """Lists the folders whose record cannot be read: nothing can be done with what is in them."""
        return [folder for folder in self._folders() if _read(folder) is None]

    def find(self, beginning: str | None) -> Draft:
        """Finds the only draft, or the one whose id begins like this. Raises DraftUnknown."""
        fits = [draft for draft in self.all() if draft.record.id.startswith(_with_prefix(beginning))]
        if len(fits) != 1:
            raise DraftUnknown(f"{len(fits)} fit" if fits else "")
        return fits[0]

    def matching(
        self,
        source: Source,
        to: tuple[str, ...],
        shorten: Shortening,
        *,
        caption: str | None,
        captions: str | None,
        reply_to: str | None = None,
        terms: Terms = USUAL,
    ) -> Draft | None:
        """Finds an earlier, interrupted attempt at the very same message."""
        wanted = (source, sorted(to), shorten, caption, captions, reply_to, terms)
        for draft in reversed(self.all()):
            record = draft.record
            words = (record.shorten, record.caption, record.captions, record.reply_to, record.terms)
            fields = (record.source, sorted(record.to), *words)
            if fields == wanted and not record.links and record.call is None:
                return draft
        return None

    def calling(
        self, call: CallTo, source: Source, *, caption: str | None, captions: str | None
    ) -> Draft | None:
        """Finds an earlier attempt at the very same call, if all of its video is there."""
        for draft in reversed(self.all()):
            record = draft.record
            known = (record.call, record.source, record.caption, record.captions)
            if known == (call, source, caption, captions) and draft.is_complete:
                return draft
        return None

    def _folders(self) -> list[Path]:
        return list(self._folder.glob("msg_*"))


def _read(folder: Path) -> Draft | None:
    try:
        return Draft(folder, ijson.decode((folder / _RECORD).read_bytes(), DraftRecord))
    except (OSError, ijson.BadJson):
        return None


def _with_prefix(beginning: str | None) -> str:
    text = beginning or ""
    return text if text.startswith("msg_") or not text else f"msg_{text}"
