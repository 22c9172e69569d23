"""Videos from the server: resumed where a connection broke, every part verified before it is decrypted.

>>> item = Mailbox(account).inbox()[0]
>>> pieces = list(plaintext(account.session, item.message))
>>> pieces[0][4:8]
b'ftyp'
"""

from collections.abc import Iterator
from contextlib import suppress

import httpx

from restante.client.errors import (
    AnswerMalformed,
    NothingToSave,
    ServerProblem,
    ServerUnbelievable,
    Unreachable,
)
from restante.client.http import Session, answer_of
from restante.client.opened import Message
from restante.client.pieces import EITHER, Addresses, are_told
from restante.client.retry import Patience
from restante.crypto.video import VideoOpener
from restante.protocol.limits import PART_BYTES
from restante.protocol.wire_messages import VideoPieces

_EMPTY_ANSWERS = 3
_FAILURES_ELSEWHERE = 2
"""So often in a row the server's addresses may lead nowhere, before it is asked for the bytes themselves."""


def ciphertext(session: Session, message_id: str, size: int, *, path: str = "") -> Iterator[bytes]:
    """Yields ``video.age`` as the server has it, unverified; ends early when the server's file does.

    A connection that breaks is taken up again; one that thrice gives nothing has nothing more to give.
    """
    download = _Download(session, path or f"/api/v1/messages/{message_id}/video", size)
    empty, patience = 0, Patience(session.retry.patient())
    while download.offset < size:
        before = download.offset
        try:
            yield from download.once(patience)
        except Unreachable:
            empty = 0 if download.offset > before else empty + download.answered
            if empty == _EMPTY_ANSWERS:
                return
            if not patience.wait():
                raise
        except ServerProblem as problem:
            if problem.code != "range-unsatisfiable":
                raise
            return
        else:
            if not download.goes_on:
                return


class _Download:
    """How far a download is, and where its bytes come from."""

    def __init__(self, session: Session, path: str, size: int) -> None:
        self._session, self._path, self._size = session, path, size
        self.offset = 0
        self.answered = False
        """Whether the server answered and what followed broke."""
        self.goes_on = True
        self._failed_elsewhere = 0

    def once(self, patience: Patience) -> Iterator[bytes]:
        """Yields what one answer of the server leads to. Raises Unreachable, ServerProblem."""
        self.answered = False
        headers = {"accept": EITHER} if self._failed_elsewhere < _FAILURES_ELSEWHERE else {}
        if self.offset:
            headers["range"] = f"bytes={self.offset}-"
        with self._session.stream("GET", self._path, headers=headers) as response:
            told = _addresses(response, self.offset)
            if told is None:
                _check_start(self.offset, response.status_code, response.headers.get("content-range", ""))
                self.answered, self.goes_on = True, False
                yield from self._counted(response.iter_bytes(PART_BYTES), patience)
                return
        self.goes_on = True
        yield from self._from_elsewhere(told, patience)

    def _from_elsewhere(self, told: Addresses, patience: Patience) -> Iterator[bytes]:
        """What goes wrong there is not the server's: it is asked again, and soon for the bytes themselves."""
        before, self._failed_elsewhere = self.offset, self._failed_elsewhere + 1
        with suppress(Unreachable, ServerProblem, ServerUnbelievable):
            yield from self._counted(told.read(self._session, self.offset, self._size), patience)
        if self.offset > before:
            self._failed_elsewhere = 0

    def _counted(self, pieces: Iterator[bytes], patience: Patience) -> Iterator[bytes]:
        for piece in pieces:
            self.offset += len(piece)
            self.answered = False
            patience.renew()
            yield piece


def _addresses(response: httpx.Response, offset: int) -> Addresses | None:
    if not are_told(response):
        return None
    return Addresses.checked(answer_of(response).decode(VideoPieces), offset=offset)


def plaintext(session: Session, message: Message, *, path: str = "") -> Iterator[bytes]:
    """Yields the verified MP4; ``path`` is where it lies, unless in one's own mailbox.

    Raises VideoError at the place where it is wrong, and at the end when it is cut off.
    """
    video = message.details.video
    if video is None:
        raise NothingToSave
    opener = VideoOpener(message.opened.key, video.manifest())
    for piece in ciphertext(session, message.id, video.size, path=path):
        yield opener.update(piece)
    yield opener.finish()


def verified_ciphertext(session: Session, message: Message) -> Iterator[bytes]:
    """Yields ``video.age`` itself; that it was right is known at the end. Raises as ``plaintext`` does."""
    video = message.details.video
    if video is None:
        raise NothingToSave
    opener = VideoOpener(message.opened.key, video.manifest())
    for piece in ciphertext(session, message.id, video.size):
        opener.update(piece)
        yield piece
    opener.finish()


def _check_start(offset: int, status: int, content_range: str) -> None:
    if offset and (status != 206 or not content_range.startswith(f"bytes {offset}-")):
        raise AnswerMalformed("another range than the one asked for")
