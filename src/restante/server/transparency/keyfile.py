"""The server's own key for its log, in a file of the data folder or the operator's: made at the first run, never sent anywhere.

[Note: One key] Clients know the log by its key. So several nodes sign with the same one, which the operator gives to each; the
database knows its public half, and a node with another one, or with none, does not start.
"""

import os
import secrets
from pathlib import Path

from sqlalchemy import Connection, Engine

from restante.server.db import meta
from restante.signing.keys import KEY_BYTES, SigningKey

NAME = "log.key"


_PUBLIC = "log_key"


class BadKeyFile(RuntimeError):
    """The key is damaged. A new one would look like another server to every client, so none is made."""


class OtherKey(RuntimeError):
    """This node's key is not the installation's. See [Note: One key]."""


def load(folder: Path, told: str = "") -> SigningKey:
    """Reads the key that the settings tell, or that of the folder; or makes one that is on the disk before it signs anything.

    Raises BadKeyFile.
    """
    if told:
        return _parsed(told, "RESTANTE_LOG_KEY is no key: 64 hexadecimal digits, as in log.key")
    try:
        return read(folder / NAME)
    except FileNotFoundError:
        return _make(folder / NAME)


def read(path: Path) -> SigningKey:
    """Reads the key of a file, and makes none. Raises BadKeyFile, FileNotFoundError."""
    return _parsed(
        path.read_bytes().decode("ascii", "replace"), f"{path} is not a key: bring it back from a backup"
    )


def check_is_there(engine: Engine, folder: Path, told: str) -> None:
    """Keeps one of several nodes from making a key of its own. Raises OtherKey."""
    if told or (folder / NAME).exists() or not meta.is_there(engine):
        return
    with engine.connect() as connection:
        if meta.get(connection, _PUBLIC) is not None:
            raise OtherKey(f"{folder} has no {NAME}, and this installation has one")


def agree(connection: Connection, key: SigningKey) -> None:
    """Keeps the public half of the first node's key, and holds that of every other against it. Raises OtherKey."""
    known = meta.get(connection, _PUBLIC)
    if known is None:
        meta.put(connection, _PUBLIC, key.public)
    elif known != key.public:
        raise OtherKey("this node's log.key is not the one that this installation's log is signed with")


def _parsed(text: str, wrong: str) -> SigningKey:
    try:
        seed = bytes.fromhex(text)
    except ValueError as error:
        raise BadKeyFile(wrong) from error
    if len(seed) != KEY_BYTES:
        raise BadKeyFile(wrong)
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
