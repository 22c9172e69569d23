"""The payload of an age file: a nonce, then chunks of 64 KiB, each sealed with its number and a final mark."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from restante.crypto.age.errors import PayloadError, Truncated
from restante.crypto.age.header import Bytes, derive

NONCE_BYTES = 16
CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
SEALED_BYTES = CHUNK_BYTES + TAG_BYTES
"""Size of every chunk but the final one."""


class ChunkCipher:
    """Seals and opens single chunks of one payload. A number is sealed once in the life of a file key."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        self._aead = ChaCha20Poly1305(derive(file_key, salt=nonce, info=b"payload"))

    def seal(self, number: int, plaintext: Bytes) -> bytes:
        """Seals a chunk that others follow."""
        return self._aead.encrypt(_nonce(number), plaintext, None)

    def seal_final(self, number: int, plaintext: Bytes) -> bytes:
        """Seals the chunk that ends the file; empty only if it is the first."""
        return self._aead.encrypt(_final_nonce(number), plaintext, None)

    def open(self, number: int, sealed: Bytes) -> bytes:
        """Opens a chunk that others follow. Raises PayloadError."""
        return self._opened(_nonce(number), sealed, number)

    def open_full(self, number: int, sealed: Bytes) -> tuple[bytes, bool]:
        """Opens a chunk of full size and tells whether it is the final one. Raises PayloadError."""
        try:
            return self.open(number, sealed), False
        except PayloadError:
            return self._opened(_final_nonce(number), sealed, number), True

    def open_last(self, number: int, sealed: Bytes) -> bytes:
        """Opens what stands at the end of the bytes. Raises Truncated where the file went on, or may have."""
        try:
            plaintext = self._opened(_final_nonce(number), sealed, number)
        except PayloadError:
            if len(sealed) == SEALED_BYTES:
                self.open(number, sealed)  # raises when damaged: of a whole chunk the two can be told apart
            raise Truncated("the file ends without an authentic final chunk") from None
        if number and not plaintext:
            raise PayloadError("the final chunk is empty")
        return plaintext

    def _opened(self, nonce: bytes, sealed: Bytes, number: int) -> bytes:
        try:
            return self._aead.decrypt(nonce, sealed, None)
        except InvalidTag as error:
            raise PayloadError(f"chunk {number} is not authentic") from error


@dataclass(frozen=True)
class Layout:
    """Where the chunks of a payload of ``sealed_size`` bytes (after the nonce) stand."""

    sealed_size: int

    def __post_init__(self) -> None:
        if self.sealed_size < TAG_BYTES or (self.count > 1 and self.span(self.count - 1)[1] <= TAG_BYTES):
            raise Truncated("no file has this size")

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return -(-self.sealed_size // SEALED_BYTES)

    @property
    def plaintext_size(self) -> int:
        """How many bytes the chunks hold."""
        return self.sealed_size - self.count * TAG_BYTES

    def span(self, number: int, count: int = 1) -> tuple[int, int]:
        """Returns offset and length of the sealed chunks from ``number`` on."""
        start = number * SEALED_BYTES
        return start, min(count * SEALED_BYTES, self.sealed_size - start)


def sealed_size(plaintext_size: int) -> int:
    """Returns the size of nonce and chunks for so many bytes of plaintext."""
    return NONCE_BYTES + plaintext_size + TAG_BYTES * max(1, -(-plaintext_size // CHUNK_BYTES))


def _nonce(number: int) -> bytes:
    return number.to_bytes(11, "big") + b"\0"


def _final_nonce(number: int) -> bytes:
    return number.to_bytes(11, "big") + b"\1"
