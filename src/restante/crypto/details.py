"""``details.age``: what describes a message, sealed once under the message key (docs/protocol/details.md)."""

import hashlib
import re
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import msgspec

from restante.crypto.age import AgeError, X25519Identity, seal, unseal
from restante.crypto.errors import (
    DetailsDamaged,
    DetailsMalformed,
    DetailsSwapped,
    DetailsTooLarge,
    RecordingTooLong,
)
from restante.crypto.fields import Count, Millis, is_b64
from restante.crypto.video import VideoManifest
from restante.protocol import ijson
from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import (
    DETAILS_BYTES,
    PART_BYTES,
    POSTER_BYTES,
    RECORDING_TOLERATED_MS,
    UPLOAD_BYTES,
)
from restante.signing import container

_VIDEO_TYPE = re.compile(r'video/mp4(; codecs="?[A-Za-z0-9., -]{1,100}"?)?\Z')
_POSTER_TYPES = frozenset({"image/webp", "image/jpeg"})
_PIXELS = 65_535


class Kind(StrEnum):
    """What a message is; an unknown kind needs a newer version."""

    VIDEO = "video"
    TEXT = "text"
    REACTION = "reaction"


Pixels = Annotated[int, msgspec.Meta(ge=1, le=_PIXELS)]


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """``sha256`` holds the base64url SHA-256 of each part of ``video.age``; ``ms`` is media time."""

    size: Count
    part: int
    sha256: tuple[str, ...]
    type: str
    ms: Millis
    w: Pixels
    h: Pixels

    def manifest(self) -> VideoManifest:
        """Returns what the opener verifies parts with."""
        return VideoManifest(self.size, tuple(unb64(text, size=32) for text in self.sha256))


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    """A small picture (``image/webp`` or ``image/jpeg``); ``data`` is base64url of at most 24 KiB."""

    type: str
    data: str


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``captions`` is WebVTT; ``text`` and ``reaction`` are the content of messages of those kinds."""

    video: Video | None = None
    caption: str | None = None
    captions: str | None = None
    text: str | None = None
    reaction: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    poster: Poster | None = None


def describe_video(manifest: VideoManifest, *, type: str, ms: int, w: int, h: int) -> Video:
    """Puts together what the details say of a sealed video."""
    hashes = tuple(b64(digest) for digest in manifest.sha256)
    return Video(size=manifest.size, part=PART_BYTES, sha256=hashes, type=type, ms=ms, w=w, h=h)


def seal_details(
    details: Details,
    message_key: X25519Identity,
    *,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Makes ``details.age``, padded. Raises DetailsTooLarge or DetailsMalformed for what a reader would refuse."""
    _check(details)
    sealed = seal(container.pad(ijson.encode(details)), message_key.recipient(), random=random)
    if len(sealed) > DETAILS_BYTES:
        raise DetailsTooLarge
    return sealed


def details_sha256(sealed: bytes) -> bytes:
    """Hashes ``details.age``: what every envelope of the message signs."""
    return hashlib.sha256(sealed).digest()


def open_details(sealed: bytes, message_key: X25519Identity, *, sha256: bytes, kind: Kind) -> Details:
    """Checks size, then the signed hash, then decrypts and reads. Raises DetailsError."""
    if len(sealed) > DETAILS_BYTES:
        raise DetailsTooLarge
    if details_sha256(sealed) != sha256:
        raise DetailsSwapped
    try:
        details = ijson.decode(unseal(sealed, message_key, stanzas=1), Details)
    except AgeError as error:
        raise DetailsDamaged from error
    except ijson.BadJson as error:
        raise DetailsMalformed(str(error)) from error
    if getattr(details, kind.value) is None:
        raise DetailsMalformed(f"a message of kind {kind.value} without it")
    _check(details)
    return details


def _check(details: Details) -> None:
    if details.video:
        _check_video(details.video)
    if details.poster:
        _check_poster(details.poster)


def _check_video(video: Video) -> None:
    if video.ms > RECORDING_TOLERATED_MS:
        raise RecordingTooLong
    parts = -(-video.size // PART_BYTES)
    if video.part != PART_BYTES or not 0 < video.size <= UPLOAD_BYTES or len(video.sha256) != parts:
        raise DetailsMalformed("size and parts")
    if not all(is_b64(text, 32) for text in video.sha256):
        raise DetailsMalformed("a part's hash")
    if not _VIDEO_TYPE.match(video.type):
        raise DetailsMalformed("the video's type")


def _check_poster(poster: Poster) -> None:
    try:
        size = len(unb64(poster.data))
    except ValueError as error:
        raise DetailsMalformed("the poster") from error
    if poster.type not in _POSTER_TYPES or size > POSTER_BYTES:
        raise DetailsMalformed("the poster")
