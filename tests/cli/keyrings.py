"""Keyrings of an operating system, for `PYTHON_KEYRING_BACKEND`: one that keeps, one that refuses."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class Keeping(KeyringBackend):
    """Keeps entries in the file that KEPT_IN names."""

    priority = 5

    @property
    def _path(self):
        return Path(os.environ["KEPT_IN"])

    def _entries(self):
        return json.loads(self._path.read_text()) if self._path.exists() else {}

    def set_password(self, service, username, password):
        self._path.write_text(json.dumps({**self._entries(), f"{service} {username}": password}))

    def get_password(self, service, username):
        return self._entries().get(f"{service} {username}")

    def delete_password(self, service, username):
        entries = self._entries()
        entries.pop(f"{service} {username}", None)
        self._path.write_text(json.dumps(entries))


class Locked(Keeping):
    """Is there, but never opens."""

    def set_password(self, service, username, password):
        raise KeyringLocked

    def get_password(self, service, username):
        raise KeyringLocked
