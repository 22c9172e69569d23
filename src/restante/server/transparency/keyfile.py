"""The server's own key for its log, in a file of the data folder: made at the first run, never sent anywhere."""

import os
import secrets
from pathlib import Path

from restante.signing.keys import KEY_BYTES, SigningKey

NAME = "log.key"


class BadKeyFile(RuntimeError):
    """The key is damaged. A new one would look like another server to every client, so none is made."""


def load(folder: Path) -> SigningKey:
    """Reads the key, or makes one that is on the disk before it signs anything. Raises BadKeyFile."""
    try:
        return read(folder / NAME)
    except FileNotFoundError:
        return _make(folder / NAME)


def read(path: Path) -> SigningKey:
    """Reads the key of a file, and makes none. Raises BadKeyFile, FileNotFoundError."""
    try:
        seed = bytes.fromhex(path.read_text("ascii"))
    except ValueError as error:
        raise BadKeyFile(f"{path} is not a key: bring it back from a backup") from error
    if len(seed) != KEY_BYTES:
        raise BadKeyFile(f"{path} is not a key: bring it back from a backup")
    return SigningKey(seed)


def _make(path: Path) -> SigningKey:
    key = SigningKey.generate()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.seed.hex().encode() + b"\n")
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return key
