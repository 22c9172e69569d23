"""Reading an age file from its beginning, at once or as the bytes come."""

from restante.crypto.age.errors import AgeError, HeaderError, PayloadError
from restante.crypto.age.header import Bytes, Header, HeaderParser
from restante.crypto.age.keys import Identity, unwrap_file_key
from restante.crypto.age.payload import NONCE_BYTES, SEALED_BYTES, ChunkCipher

_HEADER_STEP = 4096


def unseal(data: bytes, *identities: Identity, stanzas: int | None = None) -> bytes:
    """Returns the plaintext of the whole age file. Raises any AgeError."""
    unsealer = Unsealer(*identities, stanzas=stanzas)
    return unsealer.update(data) + unsealer.finish()


class Unsealer:
    """Opens a stream: each call returns the plaintext that has proved authentic.

    Complete is known only when ``finish()`` returns. What is released, and the error at the end, do not
    depend on how the file is cut: an error waits until everything authentic before it was handed out, and
    is then raised by every further call.

    ``stanzas`` demands that many in the header; a message's files have exactly one.
    """

    def __init__(self, *identities: Identity, stanzas: int | None = None) -> None:
        self._identities = identities
        self._stanzas = stanzas
        self._parser = HeaderParser()
        self._header: Header | None = None
        self._file_key = b""
        self._cipher: ChunkCipher | None = None
        self._number = 0
        self._held = bytearray()
        self._final = False
        self._error: AgeError | None = None

    @property
    def stanza_count(self) -> int | None:
        """How many stanzas the header has; None before it was read."""
        return len(self._header.stanzas) if self._header else None

    def update(self, ciphertext: Bytes) -> bytes:
        """Takes the next bytes of the file. Raises any AgeError but Truncated."""
        self._raise_error()
        opened: list[bytes] = []
        try:
            self._push(memoryview(ciphertext).cast("B"), opened)
        except AgeError as error:
            self._error = error
            if not opened:
                raise
        return b"".join(opened)

    def finish(self) -> bytes:
        """Returns the rest. Raises Truncated unless the final chunk was there, or the error that waits."""
        self._raise_error()
        try:
            return self._end()
        except AgeError as error:
            self._error = error
            raise

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def _push(self, data: memoryview, opened: list[bytes]) -> None:
        while data and self._cipher is None:
            self._begin(data[:_HEADER_STEP])
            data = data[_HEADER_STEP:]
        if self._held and data:
            room = SEALED_BYTES - len(self._held)
            self._held += data[:room]
            data = data[room:]
            if len(self._held) == SEALED_BYTES:
                opened.append(self._opened(self._held))
                self._held.clear()
        while len(data) >= SEALED_BYTES:
            opened.append(self._opened(data[:SEALED_BYTES]))
            data = data[SEALED_BYTES:]
        if data and self._final:
            raise PayloadError("bytes follow the final chunk")
        self._held += data

    def _begin(self, data: memoryview) -> None:
        """Reads header and nonce; what follows them stays held."""
        if self._header is None:
            self._header = self._parser.feed(data)
            if self._header is None:
                return
            self._file_key = unwrap_file_key(self._header, self._identities, stanzas=self._stanzas)
            data = memoryview(self._parser.rest)
        self._held += data
        if len(self._held) >= NONCE_BYTES:
            self._cipher = ChunkCipher(self._file_key, bytes(self._held[:NONCE_BYTES]))
            del self._held[:NONCE_BYTES]

    def _opened(self, sealed: Bytes) -> bytes:
        if self._final or self._cipher is None:
            raise PayloadError("bytes follow the final chunk")
        plaintext, self._final = self._cipher.open_full(self._number, sealed)
        self._number += 1
        return plaintext

    def _end(self) -> bytes:
        if self._cipher is None:
            raise HeaderError("the file ends before its payload")
        if self._final:
            return b""
        plaintext = self._cipher.open_last(self._number, self._held)
        self._held.clear()
        self._final = True
        return plaintext
