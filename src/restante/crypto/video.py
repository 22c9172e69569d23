"""``video.age`` as a stream: sealing with running part hashes, opening with each part verified before it is opened.

Implements docs/protocol/video.md. Random access stands in video_reader.py.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from restante.crypto.age import AgeError, Sealer, Truncated, Unsealer, X25519Identity
from restante.crypto.errors import (
    PartSwapped,
    VideoCutOff,
    VideoDamaged,
    VideoError,
    VideoExcess,
    VideoTooLarge,
)
from restante.crypto.padding import MAX_PLAINTEXT_BYTES, Padding, free_box, padding_bytes
from restante.protocol.limits import PART_BYTES


@dataclass(frozen=True, slots=True)
class VideoManifest:
    """What the sender signs of ``video.age``: its size and the SHA-256 of every 262,144 bytes of it."""

    size: int
    sha256: tuple[bytes, ...]

    def part_size(self, index: int) -> int:
        """Returns the size of one part; only the last is shorter."""
        return min(PART_BYTES, self.size - index * PART_BYTES)

    def check_part(self, index: int, part: bytes | bytearray) -> None:
        """Refuses a part that is not the signed one. Raises VideoCutOff or PartSwapped."""
        if len(part) < self.part_size(index):
            raise VideoCutOff(f"part {index}")
        if hashlib.sha256(part).digest() != self.sha256[index]:
            raise PartSwapped(f"part {index}")


class PartHasher:
    """Hashes a file as it grows, in any cuts."""

    def __init__(self) -> None:
        self.size = 0
        self._current = hashlib.sha256()
        self._digests: list[bytes] = []

    def update(self, data: bytes) -> None:
        """Takes the next bytes of the file."""
        rest = memoryview(data)
        while rest:
            head = rest[: PART_BYTES - self.size % PART_BYTES]
            self._current.update(head)
            self.size += len(head)
            if self.size % PART_BYTES == 0:
                self._digests.append(self._current.digest())
                self._current = hashlib.sha256()
            rest = rest[len(head) :]

    def manifest(self) -> VideoManifest:
        """Returns size and hashes of what was taken so far."""
        tail = [self._current.digest()] if self.size % PART_BYTES else []
        return VideoManifest(self.size, tuple(self._digests + tail))


class VideoSealer:
    """Seals an MP4 as it is made; what ``update`` returns can be uploaded at once.

    Never resumable: after a crash the plaintext is sealed again under a new message key. The MP4 must end on a box
    boundary at ``finish``, because the padding follows it as a ``free`` box.
    """

    def __init__(
        self,
        message_key: X25519Identity,
        *,
        padding: Padding,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._sealer = Sealer(message_key.recipient(), random=random)
        self._padding = padding
        self._hasher = PartHasher()
        self.plaintext_bytes = 0

    @property
    def sealed_bytes(self) -> int:
        """How many bytes of ``video.age`` were returned so far."""
        return self._hasher.size

    def update(self, plaintext: bytes) -> bytes:
        """Takes the next bytes of the MP4, returns the next of ``video.age``. Raises VideoTooLarge, taking nothing."""
        if self.plaintext_bytes + len(plaintext) > MAX_PLAINTEXT_BYTES:
            raise VideoTooLarge
        self.plaintext_bytes += len(plaintext)
        return self._hashed(self._sealer.update(plaintext))

    def finish(self) -> tuple[bytes, VideoManifest]:
        """Pads and ends the file: returns its last bytes and what is to be signed of the whole."""
        box = free_box(padding_bytes(self.plaintext_bytes, self._padding))
        tail = self._hashed(self._sealer.update(box) + self._sealer.finish())
        return tail, self._hasher.manifest()

    def _hashed(self, sealed: bytes) -> bytes:
        self._hasher.update(sealed)
        return sealed


class VideoOpener:
    """Opens ``video.age`` from the beginning, in any cuts; holds at most one part.

    What ``update`` returns is what the sender signed. That it is all of it, is known only when ``finish`` returns:
    until then a player shows *playing*, and *cut off* when it raises. An error waits until what stands before it
    was handed out, and is then raised by every further call.
    """

    def __init__(self, message_key: X25519Identity, manifest: VideoManifest) -> None:
        self._manifest = manifest
        self._unsealer = Unsealer(message_key, stanzas=1)
        self._part = bytearray()
        self._index = 0
        self._error: VideoError | None = None

    def update(self, ciphertext: bytes) -> bytes:
        """Takes the next bytes of the file, returns verified plaintext, often none. Raises VideoError."""
        self._raise_error()
        opened: list[bytes] = []
        try:
            self._push(memoryview(ciphertext), opened)
        except VideoError as error:
            self._error = error
            if not opened:
                raise
        return b"".join(opened)

    def finish(self) -> bytes:
        """Returns the rest of the plaintext. Raises VideoCutOff or any other VideoError when it is not whole."""
        self._raise_error()
        try:
            if self._index < len(self._manifest.sha256):
                raise VideoCutOff(f"part {self._index}")
            return _opened(self._unsealer.finish)
        except VideoError as error:
            self._error = error
            raise

    def _push(self, rest: memoryview, opened: list[bytes]) -> None:
        while rest:
            if self._index == len(self._manifest.sha256):
                raise VideoExcess
            room = self._manifest.part_size(self._index) - len(self._part)
            self._part += rest[:room]
            rest = rest[room:]
            if len(self._part) == self._manifest.part_size(self._index):
                opened.append(self._open_part())

    def _open_part(self) -> bytes:
        part, self._part = self._part, bytearray()
        self._manifest.check_part(self._index, part)
        self._index += 1
        return _opened(lambda: self._unsealer.update(part))

    def _raise_error(self) -> None:
        if self._error:
            raise self._error


def _opened(opening: Callable[[], bytes]) -> bytes:
    """Names age's refusals: signed bytes that do not open are the sender's fault."""
    try:
        return opening()
    except Truncated as error:
        raise VideoCutOff from error
    except AgeError as error:
        raise VideoDamaged from error
