"""A video becomes a draft's ciphertext while it is made, and what a draft has can be read back.

>>> record = fresh_record(to=(), caption=None)
>>> draft = Drafts(folder).new(record)
>>> seal_into(draft, lambda sink: convert(video, sink, shorten=Shorten.REFUSE), padding=Padding.FILE)
>>> draft.is_complete
True
>>> next(spooled_video(draft))[4:8]
b'ftyp'
"""

import contextlib
from collections.abc import Callable, Iterator
from itertools import chain

from restante.client.account import now_ms
from restante.client.drafts import Draft, DraftRecord, Drafts, Shortening, Source, Spool
from restante.client.errors import DraftEmpty
from restante.crypto.age import AgeError, Unsealer, X25519Identity
from restante.crypto.details import Poster, describe_video
from restante.crypto.padding import Padding
from restante.crypto.video import VideoManifest, VideoSealer
from restante.media import Converted, Shorten, convert, whole_boxes
from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import KIB

__all__ = ["Drafts", "Padding", "Shorten", "convert", "fresh_record", "seal_into", "spooled_video"]

Sink = Callable[[bytes], object]
Produce = Callable[[Sink], Converted]
"""Makes an MP4, handing it to the sink in pieces."""
_PIECE_BYTES = 256 * KIB


def fresh_record(
    *,
    to: tuple[str, ...],
    caption: str | None,
    captions: str | None = None,
    source: Source | None = None,
    shorten: Shortening = "refuse",
) -> DraftRecord:
    """Makes id and message key: used for a first attempt and for each that begins anew."""
    return DraftRecord(
        id=new_id(Prefix.MESSAGE),
        created=now_ms(),
        key=str(X25519Identity.generate()),
        to=to,
        source=source,
        caption=caption,
        captions=captions,
        shorten=shorten,
    )


def seal_into(
    draft: Draft, produce: Produce, *, padding: Padding, offer: Callable[[int], object] = lambda _: None
) -> None:
    """Fills the spool with what is produced; ``offer`` is told how much is in it. What is raised leaves it as it is."""
    sealer = VideoSealer(draft.key, padding=padding)
    with contextlib.closing(Spool(draft)) as spool:

        def take(ciphertext: bytes) -> None:
            spool.append(ciphertext)
            offer(spool.size)

        converted = produce(lambda piece: take(sealer.update(piece)))
        tail, manifest = sealer.finish()
        take(tail)
        spool.finish()
        _note_complete(draft, manifest, converted)


def spooled_video(draft: Draft) -> Iterator[bytes]:
    """Returns the MP4 of a draft: the whole, or as many whole fragments as there are in the spool. Raises DraftEmpty."""
    pieces = whole_boxes(_opened(draft))
    first = next(pieces, None) if draft.spool.exists() else None
    if first is None:
        raise DraftEmpty
    return chain([first], pieces)


def _opened(draft: Draft) -> Iterator[bytes]:
    """Opens until the spool ends or is not what was sealed, as after a power loss."""
    unsealer = Unsealer(draft.key, stanzas=1)
    with draft.spool.open("rb") as file, contextlib.suppress(AgeError):
        while piece := file.read(_PIECE_BYTES):
            yield unsealer.update(piece)
        yield unsealer.finish()


def _note_complete(draft: Draft, manifest: VideoManifest, converted: Converted) -> None:
    """From here on the draft can be sent without what it was made from."""
    video = describe_video(
        manifest, type=converted.codecs, ms=converted.duration_ms, w=converted.width, h=converted.height
    )
    poster = Poster(type="image/webp", data=b64(converted.poster)) if converted.poster else None
    draft.change(video=video, poster=poster)
