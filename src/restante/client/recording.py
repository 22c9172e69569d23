"""A take: kept as a draft from its first second on, uploaded meanwhile when it is known for whom it is.

>>> draft = new_take(account.profile, to=("grace@localhost",), caption="Hello")
>>> film = lambda sink: convert(video, sink, shorten=Shorten.CUT)
>>> keep_take(draft, film, session=account.session)
>>> draft.is_complete, draft.record.video.ms > 1000
(True, True)
>>> whole_take(account, draft) is draft
True
"""

# [Note: A take cut short] Unlike a file, a take exists nowhere else. What its spool holds, all but the last seconds, is
# decrypted, ended after its last whole fragment, and sealed again as another draft under a new message key, since
# sealing is never continued; only then does the first one go.

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from threading import Event, Thread

import msgspec

from restante.client.account import Account
from restante.client.background import BackgroundUpload, abandon
from restante.client.drafts import Draft, Drafts
from restante.client.errors import ClientError
from restante.client.files import flush, flush_folder
from restante.client.http import Session
from restante.client.profile import Profile
from restante.client.sealing import Produce, fresh_record, seal_into, spooled_video
from restante.client.tus import create
from restante.crypto.padding import Padding
from restante.media import MediaError, Shorten, convert

_FLUSH_S = 2.0
__all__ = ["convert", "keep_take", "new_take", "whole_take"]


def new_take(profile: Profile, *, to: tuple[str, ...], caption: str | None) -> Draft:
    """Makes the draft of a take; with nobody to send to it is kept for later."""
    return Drafts(profile.drafts).new(fresh_record(to=to, caption=caption))


def keep_take(draft: Draft, produce: Produce, *, session: Session | None = None) -> None:
    """Fills the draft with a take, uploading it at the same time when there is a session.

    A server that refuses before the take begins ends it; one that refuses or is away later does not disturb it. Raises
    what ``produce`` raises: MediaError leaves no draft, since nothing was seen; after anything else what was recorded
    is there ([Note: A take cut short]).
    """
    with draft.held():
        try:
            if session is not None:
                draft.change(upload=create(session).id)
            with BackgroundUpload(session, draft) if session else nullcontext() as upload:
                offer = _undisturbed(upload.offer) if upload is not None else lambda _: None
                with _flushing(draft):
                    seal_into(draft, produce, padding=Padding.LIVE, offer=offer)
        except (MediaError, ClientError):
            abandon(session, draft)
            raise


def whole_take(
    account: Account, draft: Draft, *, progress: Callable[[float], object] = lambda _: None
) -> Draft:
    """Returns a complete draft of a take: itself, or what could be made of one that was interrupted.

    Raises DraftEmpty, or MediaError when nothing was seen in it; the draft stays.
    """
    if draft.is_complete:
        return draft
    drafts = Drafts(account.profile.drafts)
    first = next((each for each in drafts.all() if each.record.id == draft.record.origin), draft)
    with first.held():
        heirs = [each for each in drafts.all() if each.record.origin == first.record.id]
        whole = next((heir for heir in heirs if heir.is_complete), None)
        if whole is None:
            whole = _heir(drafts, first, progress)
        for each in (*heirs, first):
            if each.record.id != whole.record.id:
                abandon(account.session, each)
    return whole


def _heir(drafts: Drafts, first: Draft, progress: Callable[[float], object]) -> Draft:
    """Seals what an interrupted take holds as a draft of its own."""
    old = first.record
    fresh = fresh_record(to=old.to, caption=old.caption, captions=old.captions)
    heir = drafts.new(msgspec.structs.replace(fresh, created=old.created, origin=old.id))
    with heir.held():
        try:
            seal_into(
                heir,
                lambda sink: convert(spooled_video(first), sink, shorten=Shorten.CUT, progress=progress),
                padding=Padding.LIVE,
            )
        except BaseException:
            heir.discard()
            raise
    return heir


@contextmanager
def _flushing(draft: Draft) -> Iterator[None]:
    """Brings the spool to the disk every other second, in a thread of its own: a slow disk must not cost pictures."""
    over = Event()

    def flush_often() -> None:
        while not over.wait(_FLUSH_S):
            with suppress(OSError), draft.spool.open("r+b") as file:
                flush(file.fileno())
                flush_folder(draft.folder)

    thread = Thread(target=flush_often, name="flush", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _undisturbed(offer: Callable[[int], object]) -> Callable[[int], object]:
    """Offers until the server refuses, which is told when the take is sent."""
    refused = False

    def offer_unless_refused(available: int) -> None:
        nonlocal refused
        if not refused:
            try:
                offer(available)
            except ClientError:
                refused = True

    return offer_unless_refused
