"""What `/metrics` answers, and whom: counters of this process, and what the database and the disk say at this moment."""

import asyncio
import hmac
import os
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import get_args

from prometheus_client import generate_latest

from restante import __version__
from restante.server.asgi import RawHeaders, headers_named
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db import migrate
from restante.server.db.engine import Database
from restante.server.metrics import queries
from restante.server.metrics.meters import Meters
from restante.server.outbox.queue import Kind

Waiting = queries.Waiting
counts, waiting, upkeep = queries.counts, queries.waiting, queries.upkeep
"""What the operator's desk asks, too, within its own transactions."""

FRESH_S = 30.0
"""How long what needs a look at whole tables is good for."""
_LAG_EVERY_S = 0.5
_FORWARDED = (b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"forwarded", b"via")


class Metrics:
    """Writes everything out for who may read it."""

    def __init__(self, meters: Meters, database: Database, clock: Clock, settings: Settings) -> None:
        self._meters = meters
        self._database = database
        self._clock = clock
        self._settings = settings
        self._counted_s = float("-inf")
        self._lag_s = 0.0
        self._task: asyncio.Task[None] | None = None
        gauge = meters.gauge
        gauge("build_info", "The running release", "version").labels(__version__).set(1)
        gauge("migration_version", "Revision of the database's schema").set(int(migrate.HEAD))
        self._totals = {
            "accounts": gauge("accounts", "Accounts"),
            "sessions": gauge("sessions", "Sessions that are signed in"),
            "messages": gauge("messages_stored", "Messages that are not deleted"),
            "uploads_active": gauge("uploads_active", "Uploads that are not finished"),
            "blob_bytes": gauge("blob_bytes", "Bytes of finished videos"),
            "reports_open": gauge("reports_open", "Reports that wait for the operator"),
        }
        self._pending = gauge("outbox_pending", "Work that waits", "kind")
        self._oldest = gauge("outbox_oldest_seconds", "How long the oldest of it is due", "kind")
        self._upkeep = {
            "backup_at": gauge("backup_last_success_timestamp_seconds", "Last backup; 0: never"),
            "check_at": gauge(
                "check_last_success_timestamp_seconds", "Last `restante check` that ran to its end; 0: never"
            ),
        }
        self._errors = gauge("check_errors", "What it found")
        self._free = gauge("disk_free_bytes", "Free on the disk of the data folder")
        self._size = gauge("disk_bytes", "Size of that disk")
        self._lag = gauge("event_loop_lag_seconds", "Longest delay of the event loop since the last look")

    def start(self) -> None:
        """Begins to watch the event loop."""
        self._task = asyncio.create_task(self._watch_loop())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def may_read(self, client: str, headers: RawHeaders) -> bool:
        """With a token whoever has it; without, this machine, as long as no proxy stands between."""
        headers = list(headers)
        if self._settings.metrics_token:
            wanted = f"Bearer {self._settings.metrics_token}".encode()
            given = headers_named(headers, b"authorization")
            return len(given) == 1 and hmac.compare_digest(given[0], wanted)
        if self._settings.origins or self._settings.trusted_proxies or _came_by_proxy(headers):
            return False
        return _is_loopback(client)

    async def text(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        now_ms = self._clock.now_ms()
        waiting, upkeep = await self._database.read(
            lambda connection: (queries.waiting(connection), queries.upkeep(connection))
        )
        if self._clock.monotonic_s() - self._counted_s >= FRESH_S:
            self._counted_s = self._clock.monotonic_s()
            for name, value in (await self._database.read(queries.counts)).items():
                self._totals[name].set(value)
        self._set_waiting(waiting, now_ms=now_ms)
        for name, gauge in self._upkeep.items():
            gauge.set(upkeep[name] / 1000)
        self._errors.set(upkeep["check_errors"])
        disk = os.statvfs(self._settings.data)
        self._free.set(disk.f_bavail * disk.f_frsize)
        self._size.set(disk.f_blocks * disk.f_frsize)
        self._lag.set(self._lag_s)
        self._lag_s = 0.0
        return generate_latest(self._meters.registry)

    def _set_waiting(self, waiting: Iterable[queries.Waiting], *, now_ms: int) -> None:
        by_kind = {each.kind: each for each in waiting}
        for kind in {*get_args(Kind), *by_kind}:
            each = by_kind.get(kind)
            self._pending.labels(kind).set(0 if each is None else each.count)
            self._oldest.labels(kind).set(0 if each is None else max(0, now_ms - each.oldest_due_at) / 1000)

    async def _watch_loop(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + _LAG_EVERY_S
            await asyncio.sleep(_LAG_EVERY_S)
            self._lag_s = max(self._lag_s, loop.time() - due_s)


def _came_by_proxy(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(headers_named(headers, name) for name in _FORWARDED)


def _is_loopback(client: str) -> bool:
    try:
        return ip_address(client).is_loopback
    except ValueError:
        return False
