"""Videos from the server: resumed where a connection broke, every part verified before it is decrypted.

>>> item = Mailbox(account).inbox()[0]
>>> pieces = list(plaintext(account.session, item.message))
>>> pieces[0][4:8]
b'ftyp'
"""

from collections.abc import Iterator

from restante.client.errors import AnswerMalformed, NothingToSave, ServerProblem, Unreachable
from restante.client.http import Session
from restante.client.opened import Message
from restante.client.retry import Patience
from restante.crypto.video import VideoOpener
from restante.protocol.limits import PART_BYTES

_EMPTY_ANSWERS = 3


def ciphertext(session: Session, message_id: str, size: int, *, path: str = "") -> Iterator[bytes]:
    """Yields ``video.age`` as the server has it, unverified; ends early when the server's file does.

    A connection that breaks is taken up again; one that thrice gives nothing has nothing more to give.
    """
    offset, empty, patience = 0, 0, Patience(session.retry.patient())
    path = path or f"/api/v1/messages/{message_id}/video"
    while offset < size:
        headers = {"range": f"bytes={offset}-"} if offset else {}
        answered = False
        try:
            with session.stream("GET", path, headers=headers) as response:
                _check_start(offset, response.status_code, response.headers.get("content-range", ""))
                answered = True
                for piece in response.iter_bytes(PART_BYTES):
                    offset, empty, answered = offset + len(piece), 0, False
                    patience.renew()
                    yield piece
        except Unreachable:
            empty += answered
            if empty == _EMPTY_ANSWERS:
                return
            if not patience.wait():
                raise
        except ServerProblem as problem:
            if problem.code != "range-unsatisfiable":
                raise
            return
        else:
            return


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
