"""Reading ``video.age`` at any place, for seeking: only whole, verified parts are ever decrypted."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TypeVar

from restante.crypto.age import AgeError, Fetch, Reader, Truncated, X25519Identity
from restante.crypto.errors import VideoCutOff, VideoDamaged
from restante.crypto.video import VideoManifest
from restante.protocol.limits import PART_BYTES

T = TypeVar("T")

_KEPT_PARTS = 4


class VideoReader:
    """Opens any part of the MP4; ``fetch(offset, length)`` is asked for whole parts only, four are kept.

    Raises PartSwapped, VideoCutOff or VideoDamaged, from the constructor on.
    """

    def __init__(self, fetch: Fetch, message_key: X25519Identity, manifest: VideoManifest) -> None:
        self._parts = _VerifiedParts(fetch, manifest)
        self._reader = _named(lambda: Reader(self._parts.read, manifest.size, message_key, stanzas=1))

    @property
    def plaintext_size(self) -> int:
        """How many bytes the MP4 has with its padding; proved once the end was read."""
        return self._reader.plaintext_size

    def read(self, offset: int, length: int) -> bytes:
        """Returns that slice of the MP4; the last chunk is opened first when the slice reaches the end."""
        return _named(lambda: self._reader.read(offset, length))

    def stream(self, offset: int = 0) -> Iterator[bytes]:
        """Yields the MP4 from ``offset`` on; ends only after the authentic final chunk."""
        pieces = self._reader.stream(offset)
        while piece := _named(lambda: next(pieces, b"")):
            yield piece

    def verify_end(self) -> None:
        """Opens the last chunk, so that ``plaintext_size`` can be relied upon."""
        _named(self._reader.verify_end)


class _VerifiedParts:
    """Turns reads of any range into fetches of whole parts whose hashes are checked."""

    def __init__(self, fetch: Fetch, manifest: VideoManifest) -> None:
        self._fetch = fetch
        self._manifest = manifest
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self._manifest.size)
        first, last = offset // PART_BYTES, (end - 1) // PART_BYTES
        joined = b"".join(self._part(index) for index in range(first, last + 1))
        return joined[offset - first * PART_BYTES : end - first * PART_BYTES]

    def _part(self, index: int) -> bytes:
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        part = self._fetch(index * PART_BYTES, self._manifest.part_size(index))
        self._manifest.check_part(index, part)
        self._kept[index] = part
        if len(self._kept) > _KEPT_PARTS:
            self._kept.popitem(last=False)
        return part


def _named(reading: Callable[[], T]) -> T:
    try:
        return reading()
    except Truncated as error:
        raise VideoCutOff from error
    except AgeError as error:
        raise VideoDamaged from error
