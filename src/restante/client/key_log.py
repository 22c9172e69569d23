"""The server's log of account records, as this device follows it (docs/protocol/transparency.md).

    >>> KeyLog(account).follow().checkpoint.origin == f"{account.identity.server_name}/tlog"
    True

What was believed last is kept in the profile, and outlives signing out: a log that does not continue it is refused, and the
note that shows so is kept beside it. Witnesses are verifier keys, one on each line of ``witnesses.txt`` in the profile.
"""

from collections.abc import Sequence

import msgspec

from restante.client.account import Account
from restante.client.errors import AnswerTooLarge, BadWitness, ProfileDamaged, ServerProblem
from restante.client.files import make_private, waited_lock, write_private
from restante.client.profile import Profile
from restante.client.record_chain import Logged
from restante.protocol import ijson
from restante.transparency.checkpoints import origin_of
from restante.transparency.entries import entry_of
from restante.transparency.errors import LogError, LogForked, LogMalformed, LogMissing, LogRolledBack
from restante.transparency.notes import NOTE_BYTES, NoteKey
from restante.transparency.tiles import Tile
from restante.transparency.watching import Seen, check_included, follow, read_entries, recall

_FILE = "log.json"
_EVIDENCE = "log-conflict.txt"
_WITNESSES = "witnesses.txt"
_LOCK = "log.lock"
_TILE_BYTES = 64 * 1024


class _Kept(msgspec.Struct, frozen=True):
    key: str
    note: str


class KeyLog:
    """Follows the log of one account's server; asks for a checkpoint once, and again when it is too short."""

    def __init__(self, account: Account) -> None:
        self._session = account.session
        self._profile = account.profile
        self._origin = origin_of(account.identity.server_name)
        self._newest: Seen | None = None

    def check(self, acct: str, records: Sequence[Logged]) -> None:
        """Checks that records stand in the log where the server says. Raises LogError."""
        if self._newest is None or any(one.leaf >= self._newest.checkpoint.size for one in records):
            self.follow()
        assert self._newest is not None
        claims = [(one.leaf, entry_of(acct, one.record)) for one in records]
        check_included(self._newest.checkpoint, claims, fetch=self._tile)

    def entries(self) -> list[bytes]:
        """Reads the whole log, up to a checkpoint fetched now. Raises LogError."""
        return read_entries(self.follow().checkpoint, fetch=self._tile)

    def follow(self) -> Seen:
        """Fetches the newest checkpoint, checks that it continues the one kept, and keeps it. Raises LogError."""
        kept = self._recall()
        key = NoteKey.parse(self._get("key", NOTE_BYTES).decode(errors="replace").strip())
        note = self._get("checkpoint", NOTE_BYTES)
        try:
            self._newest = follow(
                kept, key, note, origin=self._origin, fetch=self._tile, witnesses=_witnesses(self._profile)
            )
        except (LogForked, LogRolledBack):
            write_private(self._profile.folder / _EVIDENCE, note)
            raise
        self._keep(self._newest)
        return self._newest

    def _tile(self, tile: Tile) -> bytes:
        return self._get(tile.path, _TILE_BYTES)

    def _get(self, path: str, limit: int) -> bytes:
        try:
            return self._session.call("GET", f"/tlog/{path}", limit=limit).body
        except AnswerTooLarge as error:
            raise LogMalformed(path) from error
        except ServerProblem as problem:
            if problem.status != 404:
                raise
            raise LogMissing(path) from problem

    def _recall(self) -> Seen | None:
        try:
            kept = ijson.decode((self._profile.folder / _FILE).read_bytes(), _Kept)
            return recall(kept.key, kept.note.encode())
        except FileNotFoundError:
            return None
        except (OSError, ijson.BadJson, LogError) as error:
            raise ProfileDamaged(_FILE) from error

    def _keep(self, seen: Seen) -> None:
        """Keeps the longer one when another command has kept a checkpoint meanwhile."""
        make_private(self._profile.folder)
        with waited_lock(self._profile.folder / _LOCK):
            other = self._recall()
            if other is None or other.checkpoint.size <= seen.checkpoint.size:
                kept = _Kept(str(seen.key), seen.note.decode())
                write_private(self._profile.folder / _FILE, ijson.encode(kept))


def forget_log(profile: Profile) -> None:
    """Believes the next checkpoint as if it were the first: the person has asked who runs the server."""
    (profile.folder / _FILE).unlink(missing_ok=True)


def require_witness(profile: Profile, key: str) -> None:
    """Takes only checkpoints that this witness has signed, too. Raises BadWitness for what is no verifier key."""
    try:
        added = NoteKey.parse(key.strip())
    except LogMalformed as error:
        raise BadWitness from error
    _write_witnesses(profile, [*(one for one in _witnesses(profile) if one != added), added])


def drop_witness(profile: Profile, name: str) -> None:
    """Requires the signatures of this witness no longer."""
    _write_witnesses(profile, [one for one in _witnesses(profile) if one.name != name])


def _write_witnesses(profile: Profile, witnesses: Sequence[NoteKey]) -> None:
    make_private(profile.folder)
    write_private(profile.folder / _WITNESSES, "".join(f"{one}\n" for one in witnesses).encode())


def _witnesses(profile: Profile) -> list[NoteKey]:
    try:
        text = (profile.folder / _WITNESSES).read_text("utf-8")
    except FileNotFoundError:
        return []
    return [NoteKey.parse(line.strip()) for line in text.splitlines() if line.strip()]
