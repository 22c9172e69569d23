"""Reading an age file at any place, when the bytes can be fetched by range."""

from collections.abc import Callable, Iterator

from restante.crypto.age.errors import HeaderError, Truncated
from restante.crypto.age.header import Header, HeaderParser
from restante.crypto.age.keys import Identity, unwrap_file_key
from restante.crypto.age.payload import CHUNK_BYTES, NONCE_BYTES, ChunkCipher, Layout

Fetch = Callable[[int, int], bytes]
"""``fetch(offset, length)`` returns that many bytes of the file; fewer mean that the file is cut."""

_HEADER_STEP = 4096
_STREAM_CHUNKS = 4


class Reader:
    """Opens any part of a file of ``size`` bytes; header and nonce are fetched at once.

    Everything returned is authentic. How long the plaintext is, is the word of whoever named ``size``
    until the last chunk was opened: call ``verify_end()`` before relying on ``plaintext_size``. A ``read``
    that reaches the end or beyond opens the last chunk first.
    """

    def __init__(self, fetch: Fetch, size: int, *identities: Identity, stanzas: int | None = None) -> None:
        self._fetch = fetch
        self._size = size
        header = self._read_header()
        file_key = unwrap_file_key(header, identities, stanzas=stanzas)
        self.stanza_count = len(header.stanzas)
        self._start = header.size + NONCE_BYTES
        if size < self._start:
            raise HeaderError("the file ends before its payload")
        self._cipher = ChunkCipher(file_key, self._fetched(header.size, NONCE_BYTES))
        self._layout = Layout(size - self._start)
        self._end_verified = False
        self._kept: tuple[int, bytes] = (-1, b"")

    @property
    def plaintext_size(self) -> int:
        """How many bytes of plaintext a whole file of this size holds."""
        return self._layout.plaintext_size

    def read(self, offset: int, length: int) -> bytes:
        """Returns ``plaintext[offset:offset + length]``. Raises PayloadError or Truncated."""
        if offset < 0 or length < 0:
            raise IndexError("offset and length are not negative")
        end = offset + length
        if end >= self.plaintext_size:
            self.verify_end()
            end = self.plaintext_size
        if offset >= end:
            return b""
        first, last = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        plaintext = b"".join(self._chunks(first, last - first + 1))
        return plaintext[offset - first * CHUNK_BYTES : end - first * CHUNK_BYTES]

    def stream(self, offset: int = 0) -> Iterator[bytes]:
        """Yields the plaintext from ``offset`` on, 64 KiB at most at a time; ends only after the final chunk."""
        if offset < 0:
            raise IndexError("the offset is not negative")
        first, skipped = divmod(offset, CHUNK_BYTES)
        if offset >= self.plaintext_size:
            self.verify_end()
        for number in range(first, self._layout.count, _STREAM_CHUNKS):
            for plaintext in self._chunks(number, min(_STREAM_CHUNKS, self._layout.count - number)):
                yield plaintext[skipped:]
                skipped = 0

    def verify_end(self) -> None:
        """Opens the last chunk, once. Raises Truncated or PayloadError."""
        if not self._end_verified:
            self._kept = (-1, b"")
            list(self._chunks(self._layout.count - 1, 1))

    def _chunks(self, first: int, count: int) -> Iterator[bytes]:
        """Opens neighbouring chunks with one fetch; the last one opened is kept for small reads in order."""
        number, plaintext = self._kept
        if number == first:
            yield plaintext
            first, count = first + 1, count - 1
        if not count:
            return
        start, length = self._layout.span(first, count)
        sealed = memoryview(self._fetched(self._start + start, length))
        for number in range(first, first + count):
            begin, size = self._layout.span(number)
            plaintext = self._opened(number, sealed[begin - start : begin - start + size])
            self._kept = (number, plaintext)
            yield plaintext

    def _opened(self, number: int, sealed: memoryview) -> bytes:
        if number < self._layout.count - 1:
            return self._cipher.open(number, sealed)
        plaintext = self._cipher.open_last(number, sealed)
        self._end_verified = True
        return plaintext

    def _read_header(self) -> Header:
        parser = HeaderParser()
        for offset in range(0, self._size, _HEADER_STEP):
            header = parser.feed(self._fetched(offset, min(_HEADER_STEP, self._size - offset)))
            if header:
                return header
        raise HeaderError("the file ends inside its header")

    def _fetched(self, offset: int, length: int) -> bytes:
        data = self._fetch(offset, length)
        if len(data) != length:
            raise Truncated(f"{len(data)} bytes at {offset} where {length} are expected")
        return data
