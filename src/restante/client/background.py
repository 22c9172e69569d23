"""The thread that uploads while the conversion is still running.

>>> spool = Spool(draft)
>>> with BackgroundUpload(account.session, draft) as upload:
...     spool.append(bytes(100_000))
...     upload.offer(spool.size)
>>> upload.uploaded_bytes in (0, 100_000)
True
>>> spool.close()
"""

from contextlib import suppress
from dataclasses import replace
from threading import Condition, Thread
from types import TracebackType
from typing import Self

from restante.client.drafts import Draft
from restante.client.errors import ClientError, ServerProblem, ServerUnbelievable, Unreachable, UploadGone
from restante.client.http import Session, is_passing
from restante.client.tus import FIRST_BYTES, Sender, Upload, terminate

_JOIN_S = 30.0


class BackgroundUpload:
    """Sends what is offered until the ``with`` block ends; the rest is for whoever knows the whole length.

    A server that is away stops only the uploading. A refusal is raised by the next ``offer``.
    """

    def __init__(self, session: Session, draft: Draft) -> None:
        assert draft.record.upload is not None
        self._changed = Condition()
        self._available = 0
        self._stopping = False
        self._failure: ClientError | None = None
        patient = replace(session.retry.patient(), sleep=self._sleep)
        self._sender = Sender(session, Upload(draft.record.upload), draft.read, retry=patient)
        self._thread = Thread(target=self._run, name="upload", daemon=True)

    @property
    def uploaded_bytes(self) -> int:
        """What the server has acknowledged."""
        return self._sender.upload.offset

    def offer(self, available: int) -> None:
        """Tells how much is in the spool. Raises what the server refused, unless waiting or a new upload helps."""
        with self._changed:
            self._available = available
            self._changed.notify()
        failure = self._failure
        if isinstance(failure, ServerUnbelievable) or (
            isinstance(failure, ServerProblem) and not is_passing(failure)
        ):
            raise failure

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(_JOIN_S if kind is None else 0.1)

    def _run(self) -> None:
        try:
            while (available := self._await_piece()) is not None:
                self._sender.advance(available, length=None)
        except (Unreachable, ServerProblem, ServerUnbelievable, UploadGone) as failure:
            self._failure = failure

    def _await_piece(self) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._has_piece())
            return None if self._stopping else self._available

    def _has_piece(self) -> bool:
        return self._available - self._sender.upload.offset >= FIRST_BYTES

    def _sleep(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, timeout=seconds)


def abandon(session: Session | None, draft: Draft) -> None:
    """Removes a draft whose sealing cannot be continued; an upload that cannot be taken back expires."""
    if session is not None and draft.record.upload:
        with suppress(ClientError):
            terminate(session, Upload(draft.record.upload))
    draft.discard()
