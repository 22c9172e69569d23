"""Where this device's secrets lie: the operating system's keyring when a usable one exists, else a 0600 file.

>>> vault = choose_vault(folder)
>>> vault.save(Secrets(token="t", identity="AGE-SECRET-KEY-1…"))
>>> vault.load().token
't'
>>> vault.forget()
"""

import contextlib
from pathlib import Path
from typing import Protocol

import keyring
import msgspec
from keyring.errors import KeyringError

from restante.client.errors import ProfileDamaged, VaultLocked
from restante.client.files import write_private
from restante.protocol import ijson

SERVICE = "restante"
_FILE = "secrets.json"
_IN_KEYRING = "secrets.in-keyring"
_USABLE_PRIORITY = 1


class Secrets(msgspec.Struct, frozen=True):
    """The session's token, and the age identity to which the account's keyring is sealed for this device."""

    token: str
    identity: str

    def __repr__(self) -> str:
        return "Secrets(…)"


class Vault(Protocol):
    """Keeps the secrets of one profile."""

    def save(self, secrets: Secrets) -> None:
        """Stores, in place of what was there."""

    def load(self) -> Secrets:
        """Returns what was stored. Raises VaultLocked or ProfileDamaged."""

    def forget(self) -> None:
        """Removes; nothing there is no error."""


class FileVault:
    """A file ``secrets.json`` in the profile's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE

    def save(self, secrets: Secrets) -> None:
        """Stores with 0600."""
        write_private(self._path, ijson.encode(secrets))

    def load(self) -> Secrets:
        """Reads the file. Raises ProfileDamaged."""
        try:
            return ijson.decode(self._path.read_bytes(), Secrets)
        except (OSError, ijson.BadJson) as error:
            raise ProfileDamaged(_FILE) from error

    def forget(self) -> None:
        """Removes the file."""
        self._path.unlink(missing_ok=True)


class KeyringVault:
    """An entry of the operating system's keyring, found by the profile's folder; an empty file says so."""

    def __init__(self, folder: Path) -> None:
        self._entry = str(folder.resolve())
        self._mark = folder / _IN_KEYRING

    def save(self, secrets: Secrets) -> None:
        """Stores, and reads back: some keyrings only pretend. Raises VaultLocked."""
        text = ijson.encode(secrets).decode()
        try:
            keyring.set_password(SERVICE, self._entry, text)
            kept = keyring.get_password(SERVICE, self._entry)
        except KeyringError as error:
            raise VaultLocked from error
        if kept != text:
            raise VaultLocked
        write_private(self._mark, b"")

    def load(self) -> Secrets:
        """Asks the keyring; the person may have to unlock it."""
        try:
            text = keyring.get_password(SERVICE, self._entry)
        except KeyringError as error:
            raise VaultLocked from error
        if text is None:
            raise VaultLocked
        return ijson.decode(text.encode(), Secrets)

    def forget(self) -> None:
        """Removes the entry, and the file that said that there is one."""
        with contextlib.suppress(KeyringError):
            keyring.delete_password(SERVICE, self._entry)
        self._mark.unlink(missing_ok=True)


def choose_vault(folder: Path) -> Vault:
    """Chooses for a profile that has nothing stored yet."""
    backend = keyring.get_keyring()
    if backend.priority >= _USABLE_PRIORITY:
        return KeyringVault(folder)
    return FileVault(folder)


def find_vault(folder: Path) -> Vault:
    """Finds where this profile's secrets were stored."""
    return KeyringVault(folder) if (folder / _IN_KEYRING).exists() else FileVault(folder)


def store(folder: Path, secrets: Secrets) -> None:
    """Stores in the best place that works: a keyring that refuses is passed over for the file."""
    find_vault(folder).forget()
    try:
        choose_vault(folder).save(secrets)
    except VaultLocked:
        FileVault(folder).save(secrets)
