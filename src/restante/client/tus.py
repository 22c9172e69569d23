"""Resumable uploads (tus 1.0.0) whose length is known only at the end.

    >>> upload = create(account.session)
    >>> upload = append(account.session, upload, b"the first piece", length=None)
    >>> upload.offset
    15
    >>> upload = append(account.session, upload, b", the last", length=25)
    >>> terminate(account.session, upload)

The server's offset is believed only inside what this device knows: never beyond what it sent.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from restante.client.errors import AnswerMalformed, OffsetImpossible, ServerProblem, Unreachable, UploadGone
from restante.client.http import Answer, Session, is_passing, retry_after_s
from restante.client.retry import Patience, Retry
from restante.protocol.ids import Prefix, is_id
from restante.protocol.limits import KIB, MIB

PIECE_BYTES = MIB
"""Largest piece of one PATCH."""
FIRST_BYTES = 64 * KIB
"""Smallest piece sent while more is to come: one sealed chunk."""
_PATH: Final = "/api/v1/uploads"
_TUS: Final = {"tus-resumable": "1.0.0"}
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Upload:
    """``offset`` is what the server has acknowledged, ``sent`` what was ever given to it."""

    id: str
    offset: int = 0
    sent: int = 0

    @property
    def path(self) -> str:
        """Where it is found."""
        return f"{_PATH}/{self.id}"


def create(session: Session, *, retry: Retry | None = None) -> Upload:
    """Begins an upload. Raises ServerProblem ``too-many-uploads``, ``storage-full`` and others."""
    return create_apart(session, retry=retry)[0]


def create_apart(session: Session, *, retry: Retry | None = None) -> tuple[Upload, str]:
    """The same; also returns the capability that speaks for this one upload."""
    headers = {**_TUS, "upload-defer-length": "1"}
    answer = session.call("POST", _PATH, headers=headers, retry=retry)
    upload_id = urlsplit(answer.headers.get("location", "")).path.rpartition("/")[2]
    if not is_id(upload_id, Prefix.UPLOAD):
        raise AnswerMalformed("the address of an upload")
    return Upload(upload_id), answer.headers.get("upload-capability", "")


def ask(session: Session, upload: Upload, *, retry: Retry | None = None) -> Upload:
    """Asks where the upload stands. Raises UploadGone or OffsetImpossible."""
    with _gone_told():
        answer = session.call("HEAD", upload.path, headers=_TUS, retry=retry)
    return _moved(upload, answer)


def append(session: Session, upload: Upload, piece: bytes, *, length: int | None) -> Upload:
    """Sends one piece, once; ``length`` is the whole upload's, as soon as it is known.

    Raises UploadGone, OffsetImpossible, ServerProblem or Unreachable; after the latter two, ``ask`` tells the truth.
    """
    headers = {
        **_TUS,
        "content-type": "application/offset+octet-stream",
        "upload-offset": str(upload.offset),
        **({} if length is None else {"upload-length": str(length)}),
    }
    with _gone_told():
        answer = session.call_once("PATCH", upload.path, content=piece, headers=headers)
    end = upload.offset + len(piece)
    return _moved(replace(upload, sent=max(upload.sent, end)), answer)


def terminate(session: Session, upload: Upload) -> None:
    """Takes an upload back; one that is gone already is fine."""
    with contextlib.suppress(UploadGone), _gone_told():
        session.call("DELETE", upload.path, headers=_TUS)


class Sender:
    """Brings a growing spool to the server, through passing trouble; ``report`` is told of each step of the upload."""

    def __init__(
        self,
        session: Session,
        upload: Upload,
        read: Callable[[int, int], bytes],
        *,
        retry: Retry,
        report: Callable[[Upload], object] = lambda _: None,
    ) -> None:
        self.upload = upload
        self._session = session
        self._read = read
        self._retry = retry
        self._patience = Patience(retry)
        self._report = report
        self._sure = upload.sent == 0
        self.is_finished = False

    def advance(self, available: int, *, length: int | None) -> None:
        """Sends one piece of what the spool has. Raises when patience is over."""
        try:
            if not self._sure:
                self._ask()
            if self.upload.offset > available:
                raise OffsetImpossible
            piece = self._read(self.upload.offset, min(PIECE_BYTES, available - self.upload.offset))
            self._sure = False
            sent = max(self.upload.sent, self.upload.offset + len(piece))
            before = self.upload
            self.upload = replace(before, sent=sent)
            self._moved(append(self._session, before, piece, length=length))
            self._sure = True
            self.is_finished = self.upload.offset == length
        except Unreachable:
            if not self._patience.wait():
                raise
        except ServerProblem as problem:
            if not _is_curable(problem) or not self._patience.wait(retry_after_s=retry_after_s(problem)):
                raise

    def _ask(self) -> None:
        self._moved(ask(self._session, self.upload, retry=self._retry))
        self._sure = True

    def _moved(self, upload: Upload) -> None:
        if upload.offset > self.upload.offset:
            self._patience.renew()
        self.upload = upload
        self._report(upload)


def _moved(upload: Upload, answer: Answer) -> Upload:
    text = answer.headers.get("upload-offset", "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise AnswerMalformed("an offset")
    if int(text) > upload.sent:
        raise OffsetImpossible
    return replace(upload, offset=int(text))


def _is_curable(problem: ServerProblem) -> bool:
    """A wrong offset is cured by asking for the right one."""
    return is_passing(problem) or problem.code == "offset-mismatch"


@contextlib.contextmanager
def _gone_told() -> Iterator[None]:
    try:
        yield
    except ServerProblem as problem:
        if problem.status in _GONE:
            raise UploadGone from problem
        raise
