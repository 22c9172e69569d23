"""Sending a video: converted, sealed, spooled and uploaded at the same time, then addressed to each recipient.

>>> sent = send(account, ["grace"], video, caption="Hello")
>>> sent.state
'stored'
"""

# [Note: Crash rule] Sealing is never continued after an interruption, since its nonces would repeat. When the whole
# video is in the spool, the same bytes go on from the server's offset, or to a new upload when the server lost the old
# one. When it is not, the file is converted anew under a new message key to a new upload, and the old one is terminated;
# for a take, which has no file, see [Note: A take cut short].

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from restante.client.account import Account
from restante.client.background import BackgroundUpload, abandon
from restante.client.captions import normalised
from restante.client.drafts import Draft, Drafts, LinkDraft, Shortening, Source
from restante.client.errors import (
    AlreadyAddressed,
    CaptionTooLong,
    NobodyToSendTo,
    NothingToSay,
    SourceChanged,
    TooManyRecipients,
    UploadGone,
)
from restante.client.people import People
from restante.client.posting import post, prepare
from restante.client.previous import note_sent
from restante.client.recording import whole_take
from restante.client.sealing import fresh_record, seal_into
from restante.client.terms import USUAL, Terms
from restante.client.tus import Sender, Upload, create
from restante.crypto.errors import CryptoError
from restante.crypto.padding import Padding
from restante.media import MediaError, Shorten, convert
from restante.protocol import wire
from restante.protocol.limits import KIB, RECIPIENTS

CAPTION_BYTES = 32 * KIB
"""Longest caption: with it, hashes and poster always fit into the details."""
REACTION_CHARS = 32
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
    captions: str | None = None,
    shorten: Shorten = Shorten.REFUSE,
    reply_to: str | None = None,
    terms: Terms = USUAL,
    report: Report = lambda _: None,
) -> wire.Sent:
    """Sends a video file; an interrupted attempt at the same message goes on where it can ([Note: Crash rule]).

    ``captions`` is WebVTT or SRT. Every recipient is checked and pinned before anything else. Whatever is raised, the
    draft stays until the server has confirmed the message. Raises MediaError, ClientError, ProtocolError or OSError.
    """
    check_request(names, caption)
    cues = None if captions is None else normalised(captions)
    described = describe_source(source)
    to = tuple(record.acct for record in People(account).recipients(names))
    drafts = Drafts(account.profile.drafts)
    word: Shortening = "cut" if shorten is Shorten.CUT else "refuse"
    more = {"reply_to": reply_to, "terms": terms}
    draft = drafts.matching(
        described, to, word, caption=caption, captions=cues, reply_to=reply_to, terms=terms
    )
    if draft is None:
        fresh = fresh_record(to=to, caption=caption, captions=cues, source=described, shorten=word)
        draft = drafts.new(msgspec.structs.replace(fresh, **more))
    return _go_on(account, draft, report)


def say(
    account: Account,
    names: Sequence[str],
    kind: Literal["text", "reaction"],
    words: str,
    *,
    reply_to: str | None = None,
    terms: Terms = USUAL,
) -> wire.Sent:
    """Sends words or a reaction. What is raised leaves a draft, which ``resume`` sends; raises as ``send`` does."""
    check_request(names, words)
    if not words.strip() or (kind == "reaction" and len(words) > REACTION_CHARS):
        raise NothingToSay
    to = tuple(record.acct for record in People(account).recipients(names))
    fresh = fresh_record(to=to, caption=None)
    fresh = msgspec.structs.replace(fresh, kind=kind, words=words, reply_to=reply_to, terms=terms)
    return _go_on(account, Drafts(account.profile.drafts).new(fresh), lambda _: None)


def send_to_links(
    account: Account,
    source: Path,
    links: Sequence[LinkDraft],
    *,
    caption: str | None = None,
    captions: str | None = None,
    report: Report = lambda _: None,
) -> wire.Sent:
    """Sends a video file to guest links alone. Raises as ``send`` does; what is kept then can be resumed."""
    if caption is not None and len(caption.encode()) > CAPTION_BYTES:
        raise CaptionTooLong
    cues = None if captions is None else normalised(captions)
    record = fresh_record(to=(), caption=caption, captions=cues, source=describe_source(source))
    draft = Drafts(account.profile.drafts).new(msgspec.structs.replace(record, links=tuple(links)))
    return _go_on(account, draft, report)


def resume(
    account: Account,
    beginning: str | None = None,
    *,
    to: Sequence[str] = (),
    caption: str | None = None,
    captions: str | None = None,
    report: Report = lambda _: None,
) -> wire.Sent:
    """Goes on with a draft, by the beginning of its id; the only one needs none.

    ``to`` and the words are for a take that was kept without recipients. Raises DraftUnknown, SourceChanged, DraftEmpty,
    AlreadyAddressed, NobodyToSendTo.
    """
    draft = Drafts(account.profile.drafts).find(beginning)
    if to or caption is not None or captions is not None:
        _address(account, draft, to, caption=caption, captions=captions)
    if draft.record.call is not None:
        raise NobodyToSendTo(hint="It is a call: the same restante call goes on with it.")
    if not draft.record.to and not draft.record.links:
        raise NobodyToSendTo(hint="restante send --resume DRAFT NAME…")
    People(account).recipients(draft.record.to)
    source = draft.record.source
    if source is None and draft.record.kind == "video":
        draft = whole_take(account, draft, progress=lambda share: report(Progress(share, 0, None)))
    elif source is not None and not draft.is_complete and _now(source) != source:
        raise SourceChanged(source.path)
    return _go_on(account, draft, report)


def discard(account: Account, draft: Draft) -> None:
    """Gives a draft up, and its upload."""
    with draft.held():
        abandon(account.session, draft)


def describe_source(path: Path) -> Source:
    """Notes by what a file is recognised. Raises OSError."""
    status = path.stat()
    return Source(str(path.resolve()), status.st_size, str(status.st_mtime_ns))


def _go_on(account: Account, draft: Draft, report: Report) -> wire.Sent:
    if draft.is_complete:
        with draft.held():
            return _deliver(account, draft, report)
    if draft.spool.exists() or draft.record.upload:
        with draft.held():
            old = draft.record
            words = {"caption": old.caption, "captions": old.captions}
            fresh = fresh_record(to=old.to, source=old.source, shorten=old.shorten, **words)
            fresh = msgspec.structs.replace(fresh, links=old.links, reply_to=old.reply_to, terms=old.terms)
            fresh_draft = Drafts(account.profile.drafts).new(fresh)
            abandon(account.session, draft)
        draft = fresh_draft
    with draft.held():
        try:
            _convert(account, draft, report)
        except (MediaError, CryptoError):
            abandon(account.session, draft)  # the file is at fault, and stays where it is
            raise
        except BaseException:
            if not draft.spool.exists():
                draft.discard()
            raise
        return _deliver(account, draft, report)


def _convert(account: Account, draft: Draft, report: Report) -> None:
    """Fills the spool, while a thread uploads what is there; only refusals of the server end it early."""
    assert draft.record.source is not None
    source = Path(draft.record.source.path)
    shorten = Shorten.CUT if draft.record.shorten == "cut" else Shorten.REFUSE
    draft.change(upload=create(account.session).id)
    done = 0.0
    with BackgroundUpload(account.session, draft) as upload:

        def tell(share: float) -> None:
            nonlocal done
            done = max(done, share)
            report(Progress(done, upload.uploaded_bytes, None))

        seal_into(
            draft,
            lambda sink: convert(source, sink, shorten=shorten, progress=tell),
            padding=Padding.FILE,
            offer=upload.offer,
        )


def _deliver(account: Account, draft: Draft, report: Report) -> wire.Sent:
    """Brings the rest of the spool to the server and posts the message; then, and only then, the draft goes."""
    for fresh in range(_FRESH_UPLOADS + 1):
        try:
            if draft.record.request is None:
                if draft.record.kind == "video":
                    _upload_rest(account, draft, report)
                draft.change(request=prepare(account, draft.record, People(account)))
            sent = post(account.session, draft.record)
        except UploadGone:
            draft.change(upload=None, request=None)
            if fresh == _FRESH_UPLOADS:
                raise
        else:
            note_sent(account, sent.id, draft.record.to, at=draft.record.created)
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


def _address(
    account: Account, draft: Draft, names: Sequence[str], *, caption: str | None, captions: str | None
) -> None:
    """Says to whom a take goes, and with which words, before it is sent for the first time."""
    if draft.record.to:
        raise AlreadyAddressed
    check_request(names, caption)
    cues = None if captions is None else normalised(captions)
    to = tuple(record.acct for record in People(account).recipients(names))
    draft.change(to=to, caption=caption, captions=cues)


def check_request(names: Sequence[str], caption: str | None) -> None:
    """Refuses what could not be sent. Raises NobodyToSendTo, TooManyRecipients or CaptionTooLong."""
    if not names:
        raise NobodyToSendTo
    if len(set(names)) > RECIPIENTS:
        raise TooManyRecipients
    if caption is not None and len(caption.encode()) > CAPTION_BYTES:
        raise CaptionTooLong


def _now(source: Source) -> Source | None:
    """Describes a file anew."""
    try:
        return describe_source(Path(source.path))
    except OSError:
        return None
