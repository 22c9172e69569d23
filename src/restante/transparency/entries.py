"""What the log says of an account record: two hashes, so that who reads it learns no name that they cannot guess.

>>> entry = entry_of("ann@post.example", b"record")
>>> len(entry), is_of(entry, "ann@post.example"), is_of(entry, "bob@post.example")
(64, True, False)
"""

import hashlib

_PURPOSE = b"restante/1 log\x00"
ENTRY_BYTES = 64


def entry_of(acct: str, record: bytes) -> bytes:
    """Makes the entry of a record, exactly as stored, under the address that it is served for."""
    return hashlib.sha256(_PURPOSE + acct.encode()).digest() + hashlib.sha256(record).digest()


def is_of(entry: bytes, acct: str) -> bool:
    """Tells whether the entry is about this address."""
    return entry.startswith(hashlib.sha256(_PURPOSE + acct.encode()).digest())
