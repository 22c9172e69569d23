"""Remembers for seconds who a token is, so that a burst of requests asks the database once."""

from dataclasses import dataclass

from restante.server.clock import Clock
from restante.server.sessions.actor import Actor

FRESH_FOR_S = 4.0
"""Below the five seconds within which a revoked session must be dead on every node."""
ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    actor: Actor
    since_s: float


class ActorCache:
    """Keeps actors by the hash of their token.

    [Note: Revoked meanwhile] A look-up that began before a revocation must not be kept after it: whoever looks up
    takes the ``generation`` first, and ``keep`` drops the answer when it has changed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[bytes, _Entry] = {}
        self.generation = 0

    def find(self, token_sha256: bytes) -> Actor | None:
        """The actor, if the database said so less than ``FRESH_FOR_S`` ago."""
        entry = self._entries.get(token_sha256)
        if entry is None or self._clock.monotonic_s() - entry.since_s >= FRESH_FOR_S:
            return None
        return entry.actor

    def keep(self, token_sha256: bytes, actor: Actor, *, generation: int) -> None:
        """Keeps what a look-up found, unless something was revoked since ``generation``."""
        if generation != self.generation:
            return
        self._entries.pop(token_sha256, None)
        while len(self._entries) >= ENTRIES:
            del self._entries[next(iter(self._entries))]
        self._entries[token_sha256] = _Entry(actor, self._clock.monotonic_s())

    def drop_session(self, session_id: str) -> None:
        """Forgets one session."""
        self._drop({key for key, entry in self._entries.items() if entry.actor.session_id == session_id})

    def drop_account(self, account_id: int) -> None:
        """Forgets all sessions of an account."""
        self._drop({key for key, entry in self._entries.items() if entry.actor.account_id == account_id})

    def _drop(self, keys: set[bytes]) -> None:
        self.generation += 1
        for key in keys:
            del self._entries[key]
