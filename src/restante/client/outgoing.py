"""Sending a video: converted, sealed, spooled and uploaded at the same time, then addressed to each recipient.

>>> sent = send(account, ["grace"], video, caption="Hello")
>>> sent.state
'stored'
"""

# [Note: Crash rule] Sealing is never continued after an interruption, since its nonces would repeat. When the whole
# video is in the spool, the same bytes go on from the server's offset, or to a new upload when the server lost the old
# one. When it is not, the file is converted anew under a new message key to a new upload, and the old one is terminated.

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from restante.client.account import Account, now_ms
from restante.client.background import BackgroundUpload
from restante.client.drafts import Draft, DraftRecord, Drafts, Shortening, Source, Spool
from restante.client.errors import (
    CaptionTooLong,
    ClientError,
    NobodyToSendTo,
    SourceChanged,
    TooManyRecipients,
    UploadGone,
)
from restante.client.people import People
from restante.client.posting import post, prepare
from restante.client.tus import Sender, Upload, create, terminate
from restante.crypto.age import X25519Identity
from restante.crypto.details import Poster, describe_video
from restante.crypto.errors import CryptoError
from restante.crypto.padding import Padding
from restante.crypto.video import VideoManifest, VideoSealer
from restante.media import Converted, MediaError, Shorten, convert
from restante.protocol import wire
from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import KIB, RECIPIENTS

CAPTION_BYTES = 32 * KIB
"""Longest caption: with it, hashes and poster always fit into the details."""
_FRESH_UPLOADS = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a send is: ``converted`` from 0 to 1; ``total_bytes`` is None until the conversion has ended."""

    converted: float
    uploaded_bytes: int
    total_bytes: int | None


Report = Callable[[Progress], object]


def send(
    account: Account,
    names: Sequence[str],
    source: Path,
    *,
    caption: str | None = None,
    shorten: Shorten = Shorten.REFUSE,
    report: Report = lambda _: None,
) -> wire.Sent:
    """Sends a video file; an interrupted attempt at the same message goes on where it can ([Note: Crash rule]).

    Every recipient is checked and pinned before anything else. Whatever is raised, the draft stays until the server
    has confirmed the message. Raises MediaError, ClientError, ProtocolError or OSError.
    """
    _check_request(names, caption)
    described = describe_source(source)
    to = tuple(record.acct for record in People(account).recipients(names))
    drafts = Drafts(account.profile.drafts)
    word: Shortening = "cut" if shorten is Shorten.CUT else "refuse"
    draft = drafts.matching(described, to, caption, word)
    if draft is None:
        draft = drafts.new(_fresh_record(described, to, caption, word))
    return _go_on(account, drafts, draft, report)


def resume(account: Account, beginning: str | None = None, *, report: Report = lambda _: None) -> wire.Sent:
    """Goes on with a draft, by the beginning of its id; the only one needs none. Raises DraftUnknown, SourceChanged."""
    drafts = Drafts(account.profile.drafts)
    draft = drafts.find(beginning)
    People(account).recipients(draft.record.to)
    if not draft.is_complete and _source_now(draft) != draft.record.source:
        raise SourceChanged(draft.record.source.path)
    return _go_on(account, drafts, draft, report)


def discard(account: Account, draft: Draft) -> None:
    """Gives a draft up, and its upload."""
    with draft.held():
        _abandon(account, draft)


def describe_source(path: Path) -> Source:
    """Notes by what a file is recognised. Raises OSError."""
    status = path.stat()
    return Source(str(path.resolve()), status.st_size, str(status.st_mtime_ns))


def _go_on(account: Account, drafts: Drafts, draft: Draft, report: Report) -> wire.Sent:
    if draft.is_complete:
        with draft.held():
            return _deliver(account, draft, report)
    if draft.spool.exists() or draft.record.upload:
        with draft.held():
            old = draft.record
            fresh = drafts.new(_fresh_record(old.source, old.to, old.caption, old.shorten))
            _abandon(account, draft)
        draft = fresh
    with draft.held():
        try:
            _convert(account, draft, report)
        except (MediaError, CryptoError):
            _abandon(account, draft)  # the file is at fault, and stays where it is
            raise
        except BaseException:
            if not draft.spool.exists():
                draft.discard()
            raise
        return _deliver(account, draft, report)


def _convert(account: Account, draft: Draft, report: Report) -> None:
    """Fills the spool, while a thread uploads what is there; only refusals of the server end it early."""
    draft.change(upload=create(account.session).id)
    sealer = VideoSealer(draft.key, padding=Padding.FILE)
    done = 0.0
    with contextlib.closing(Spool(draft)) as spool, BackgroundUpload(account.session, draft) as upload:

        def take(ciphertext: bytes) -> None:
            spool.append(ciphertext)
            upload.offer(spool.size)

        def tell(share: float) -> None:
            nonlocal done
            done = max(done, share)
            report(Progress(done, upload.uploaded_bytes, None))

        source = Path(draft.record.source.path)
        shorten = Shorten.CUT if draft.record.shorten == "cut" else Shorten.REFUSE
        converted = convert(source, lambda piece: take(sealer.update(piece)), shorten=shorten, progress=tell)
        tail, manifest = sealer.finish()
        take(tail)
        spool.finish()
        _note_complete(draft, manifest, converted)


def _note_complete(draft: Draft, manifest: VideoManifest, converted: Converted) -> None:
    """From here on the draft can be sent without the file that it was made from."""
    video = describe_video(
        manifest, type=converted.codecs, ms=converted.duration_ms, w=converted.width, h=converted.height
    )
    poster = Poster(type="image/webp", data=b64(converted.poster)) if converted.poster else None
    draft.change(video=video, poster=poster)


def _deliver(account: Account, draft: Draft, report: Report) -> wire.Sent:
    """Brings the rest of the spool to the server and posts the message; then, and only then, the draft goes."""
    for fresh in range(_FRESH_UPLOADS + 1):
        try:
            if draft.record.request is None:
                _upload_rest(account, draft, report)
                draft.change(request=prepare(account, draft.record, People(account)))
            sent = post(account.session, draft.record)
        except UploadGone:
            draft.change(upload=None, request=None)
            if fresh == _FRESH_UPLOADS:
                raise
        else:
            draft.discard()
            return sent
    raise AssertionError


def _upload_rest(account: Account, draft: Draft, report: Report) -> None:
    video = draft.record.video
    assert video is not None
    known = draft.record.upload
    if known is None:
        upload = create(account.session)
        draft.change(upload=upload.id)
    else:
        upload = Upload(known, sent=video.size)
    sender = Sender(
        account.session,
        upload,
        draft.read,
        retry=account.session.retry.patient(),
        report=lambda upload: report(Progress(1.0, upload.offset, video.size)),
    )
    while not sender.is_finished:
        sender.advance(video.size, length=video.size)


def _abandon(account: Account, draft: Draft) -> None:
    """Removes a draft whose sealing cannot be continued; an upload that cannot be taken back expires."""
    if draft.record.upload:
        with contextlib.suppress(ClientError):
            terminate(account.session, Upload(draft.record.upload))
    draft.discard()


def _fresh_record(
    source: Source, to: tuple[str, ...], caption: str | None, shorten: Shortening
) -> DraftRecord:
    """Makes id and message key; used for a first attempt and for each that begins anew."""
    return DraftRecord(
        id=new_id(Prefix.MESSAGE),
        created=now_ms(),
        key=str(X25519Identity.generate()),
        to=to,
        source=source,
        caption=caption,
        shorten=shorten,
    )


def _check_request(names: Sequence[str], caption: str | None) -> None:
    if not names:
        raise NobodyToSendTo
    if len(set(names)) > RECIPIENTS:
        raise TooManyRecipients
    if caption is not None and len(caption.encode()) > CAPTION_BYTES:
        raise CaptionTooLong


def _source_now(draft: Draft) -> Source | None:
    try:
        return describe_source(Path(draft.record.source.path))
    except OSError:
        return None
