"""The folder in which this device keeps its account: settings, secrets, drafts and sealed copies.

    >>> profile = Profile.at(folder)
    >>> profile.identity is None
    True

The folder is 0700, its files 0600. What is not secret by itself stands in ``profile.json``: the server, the account,
its signing key and the highest revisions seen, by which a rollback is noticed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import platformdirs

from restante.client import vault
from restante.client.errors import NoAccount, ProfileDamaged
from restante.client.files import make_private, waited_lock, write_private
from restante.client.vault import Secrets
from restante.protocol import ijson
from restante.protocol.encoding import b64, unb64

PROFILE_VARIABLE = "RESTANTE_PROFILE"
PASSPHRASE_VARIABLE = "RESTANTE_PASSPHRASE"  # noqa: S105 - the name of a variable
RECOVERY_CODE_VARIABLE = "RESTANTE_RECOVERY_CODE"
_RUNTIME_VARIABLE = "XDG_RUNTIME_DIR"
_FILE = "profile.json"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Environment:
    """What the client takes from the environment; the one place where it reads it.

    ``runtime`` is the system's folder for what must not outlive the session, if it names one.
    """

    profile: Path
    passphrase: str | None
    recovery_code: str | None
    runtime: Path | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Reads the variables that docs/reference/cli.md names; empty is absent."""
        folder = environ.get(PROFILE_VARIABLE) or platformdirs.user_data_dir("restante", appauthor=False)
        return cls(
            Path(folder),
            environ.get(PASSPHRASE_VARIABLE) or None,
            environ.get(RECOVERY_CODE_VARIABLE) or None,
            Path(environ[_RUNTIME_VARIABLE]) if environ.get(_RUNTIME_VARIABLE) else None,
        )


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Which account this is: ``sign`` is its public signing key in base64url; ``session_id`` is empty when signed out.

    ``revs`` holds the highest revision seen of the keyring and of each state shard, ``record_created`` when the
    account record was last made.
    """

    server: str
    server_name: str
    name: str
    sign: str
    device_id: str
    session_id: str
    revs: dict[str, int] = {}
    record_created: int = 0

    @property
    def acct(self) -> str:
        """The account's address."""
        return f"{self.name}@{self.server_name}"

    @property
    def sign_key(self) -> bytes:
        """The public signing key."""
        return unb64(self.sign, size=32)


class Profile:
    """One account on one device."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.drafts = folder / "drafts"
        self.shards = folder / "shards"
        self.details = folder / "details"

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Opens a profile, which may be empty yet."""
        return cls(folder.expanduser())

    @property
    def identity(self) -> Identity | None:
        """The account, signed in or out; None when there was none yet. Raises ProfileDamaged."""
        try:
            return ijson.decode((self.folder / _FILE).read_bytes(), Identity)
        except FileNotFoundError:
            return None
        except (OSError, ijson.BadJson) as error:
            raise ProfileDamaged(_FILE) from error

    @property
    def signed_in(self) -> Identity:
        """The account that is signed in. Raises NoAccount."""
        identity = self.identity
        if identity is None or not identity.session_id:
            raise NoAccount
        return identity

    def secrets(self) -> Secrets:
        """Returns this device's secrets. Raises VaultLocked or ProfileDamaged."""
        return vault.find_vault(self.folder).load()

    def enter(self, identity: Identity, secrets: Secrets) -> None:
        """Remembers a sign-in: the secrets first, so that there is no account without its key."""
        make_private(self.folder)
        vault.store(self.folder, secrets)
        self._write(identity)

    def leave(self) -> None:
        """Forgets the secrets and the copies; who it was stays known, by which the next sign-in checks the server."""
        identity = self.identity
        if identity is not None:
            self._write(msgspec.structs.replace(identity, session_id=""))
        vault.find_vault(self.folder).forget()
        for folder in (self.shards, self.details):
            for path in folder.glob("*"):
                path.unlink(missing_ok=True)

    def raise_rev(self, thing: str, rev: int) -> None:
        """Remembers the revision of the keyring or of a shard, if it is the highest so far."""
        with waited_lock(self.folder / _LOCK):
            identity = self.signed_in
            if rev > identity.revs.get(thing, 0):
                self._write(msgspec.structs.replace(identity, revs={**identity.revs, thing: rev}))

    def note_key(self, public: bytes) -> None:
        """Remembers the signing key, which the one known before led to."""
        with waited_lock(self.folder / _LOCK):
            identity = self.signed_in
            if identity.sign != b64(public):
                self._write(msgspec.structs.replace(identity, sign=b64(public)))

    def note_record(self, created_ms: int) -> None:
        """Remembers when the account record was made."""
        with waited_lock(self.folder / _LOCK):
            self._write(msgspec.structs.replace(self.signed_in, record_created=created_ms))

    def _write(self, identity: Identity) -> None:
        write_private(self.folder / _FILE, ijson.encode(identity))
