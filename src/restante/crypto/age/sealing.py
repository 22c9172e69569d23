"""Writing an age file, at once or as the plaintext comes."""

import secrets
from collections.abc import Callable
from typing import NoReturn

from restante.crypto.age.header import Bytes
from restante.crypto.age.keys import FILE_KEY_BYTES, Recipient, wrap_file_key
from restante.crypto.age.payload import CHUNK_BYTES, NONCE_BYTES, ChunkCipher


def seal(
    plaintext: bytes, *recipients: Recipient, random: Callable[[int], bytes] = secrets.token_bytes
) -> bytes:
    """Returns the whole age file."""
    sealer = Sealer(*recipients, random=random)
    return sealer.update(plaintext) + sealer.finish()


class Sealer:
    """Seals a stream: what is ready comes back from each call, the header and nonce with the first.

    A chunk is sealed when the byte after it is known, so up to 64 KiB wait inside. It can be neither
    copied nor stored: going on twice from one state would seal two texts under one nonce.
    """

    def __init__(self, *recipients: Recipient, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        file_key, nonce = random(FILE_KEY_BYTES), random(NONCE_BYTES)
        self._ready = wrap_file_key(file_key, recipients, random) + nonce
        self._cipher: ChunkCipher | None = ChunkCipher(file_key, nonce)
        self._number = 0
        self._held = bytearray()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Sealer is neither copied nor stored: its nonces would repeat")

    def update(self, plaintext: Bytes) -> bytes:
        """Takes the next bytes and returns what is ready, often nothing."""
        cipher, rest = self._open_cipher(), memoryview(plaintext).cast("B")
        sealed = [self._take_ready()]
        if self._held:
            room = CHUNK_BYTES - len(self._held)
            self._held += rest[:room]
            rest = rest[room:]
            if not rest:
                return sealed[0]
            sealed.append(self._sealed(cipher, self._held))
            self._held.clear()
        while len(rest) > CHUNK_BYTES:
            sealed.append(self._sealed(cipher, rest[:CHUNK_BYTES]))
            rest = rest[CHUNK_BYTES:]
        self._held += rest
        return b"".join(sealed)

    def finish(self) -> bytes:
        """Returns the final chunk; nothing can follow."""
        cipher, self._cipher = self._open_cipher(), None
        return self._take_ready() + cipher.seal_final(self._number, self._held)

    def _sealed(self, cipher: ChunkCipher, chunk: Bytes) -> bytes:
        self._number += 1
        return cipher.seal(self._number - 1, chunk)

    def _take_ready(self) -> bytes:
        ready, self._ready = self._ready, b""
        return ready

    def _open_cipher(self) -> ChunkCipher:
        if self._cipher is None:
            raise RuntimeError("the file is finished")
        return self._cipher
