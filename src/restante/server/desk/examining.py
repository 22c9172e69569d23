"""What `restante doctor` and the operator's page look at: one thing each, a plain word, and one cure.

Everything here blocks (disk, mail server, certificates), so a running server does it in a thread.
"""

import os
import secrets
import shutil
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography import x509

from restante import __version__
from restante.protocol.wire_desk import Examined, State
from restante.server.bus import shared as bus
from restante.server.bus.shared import UnusableBus, wire_of
from restante.server.certs import store
from restante.server.config import BadSettings, Settings
from restante.server.metrics.service import Waiting
from restante.server.push.mail import Mailer, MailFailed
from restante.transparency.witnessing import Witness

DAY_MS = 24 * 3600 * 1000
BACKUP_MS, CHECK_MS = 26 * 3600 * 1000, 8 * DAY_MS
_WORK_MS = 5 * 60 * 1000
_SOON_DAYS = 14
_WITHIN_S = 5.0
_FAULTS_FOUND = {400, 403, 409, 422}
"""What https://c2sp.org/tlog-witness answers to one that it does not sign."""
_WEBAPP = Path(__file__).parent.parent / "webapp" / "index.html"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database says, read beforehand."""

    now_ms: int
    newest_ms: int
    """The newest thing in it."""
    upkeep: dict[str, int]
    waiting: list[Waiting]
    is_current: bool
    """Its schema is that of this release."""
    operators: int
    unsigned: tuple[str, ...] = ()
    """Witnesses that have not signed the newest checkpoint of the log, as the settings name them."""


def examine(settings: Settings, facts: Facts, *, server_name: str) -> Iterator[Examined]:
    """Looks at one thing after the other."""
    looks: list[Callable[[], Examined]] = [
        lambda: _address(settings),
        lambda: _certificate(settings),
        lambda: _clock(facts),
        lambda: _disk(settings),
        lambda: _storage(settings.data),
        lambda: _database(facts),
        lambda: _bus(settings, server_name),
        lambda: _secrets(settings.data),
        lambda: _mail(settings, server_name),
        lambda: _push(settings, facts),
        lambda: _work(facts),
        lambda: _backup(facts),
        lambda: _check(facts),
        lambda: _abuse(settings),
        lambda: _operator(facts),
        lambda: _witnesses(settings, facts),
        _webapp,
        _versions,
    ]
    for look in looks:
        yield look()


def _says(name: str, state: State, text: str, cure: str = "", value: int | None = None) -> Examined:
    return Examined(name=name, state=state, text=text, cure=cure, value=value)


def _address(settings: Settings) -> Examined:
    plain = [each for each in settings.origins if each.startswith("http://") and "localhost" not in each]
    if plain:
        return _says(
            "address",
            "bad",
            f"{plain[0]} is not secure: no browser gives it a camera",
            "Serve it by HTTPS: docs/guides/install.md.",
        )
    if settings.origins or settings.tls != "off":
        return _says(
            "address", "good", settings.origins[0] if settings.origins else "HTTPS by the server itself"
        )
    cure = "For other devices: restante serve --tls local, or a proxy with HTTPS and RESTANTE_ORIGINS."
    return _says("address", "poor", "only browsers on this machine get a camera: there is no HTTPS", cure)


def _certificate(settings: Settings) -> Examined:
    ends = [found for found in (_end_of_own(settings), *map(_end_at, settings.origins)) if found is not None]
    if not ends:
        return _says("certificate", "good", "none is needed")
    if None in ends or any(isinstance(end, str) for end in ends):
        where = next(end for end in ends if isinstance(end, str))
        return _says("certificate", "bad", where, "Look at the proxy or the certificate's files.")
    days = (min(end for end in ends if isinstance(end, datetime)) - datetime.now(UTC)).days
    if days < 0:
        return _says("certificate", "bad", "it has run out", "Renew it, and start the server again.", days)
    if days < _SOON_DAYS:
        return _says(
            "certificate",
            "poor",
            f"it runs out in {days} days",
            "Renew it now; look why it was not renewed by itself.",
            days,
        )
    return _says("certificate", "good", f"good for {days} more days", value=days)


def _end_of_own(settings: Settings) -> datetime | str | None:
    if settings.tls == "off":
        return None
    try:
        shown = store.shown(settings)
        return None if shown is None else store.expires_at(shown.certificate)
    except (OSError, ValueError, store.BadCertificate) as error:
        return str(error)


def _end_at(origin: str) -> datetime | str | None:
    """Of the certificate that an address shows; None for plain HTTP."""
    parts = urlsplit(origin)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is only looked at
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=_WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
        ):
            shown = secure.getpeercert(binary_form=True)
    except OSError as error:
        return f"{origin} does not answer: {error}"
    return x509.load_der_x509_certificate(shown or b"").not_valid_after_utc


def _clock(facts: Facts) -> Examined:
    if facts.newest_ms > facts.now_ms + 60_000:
        behind_s = (facts.newest_ms - facts.now_ms) // 1000
        return _says(
            "clock",
            "bad",
            f"it is {behind_s} s behind what the server has already dated",
            "Let the machine set its clock (timedatectl set-ntp true).",
            behind_s,
        )
    return _says("clock", "good", f"{datetime.fromtimestamp(facts.now_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC")


def _disk(settings: Settings) -> Examined:
    try:
        disk = shutil.disk_usage(settings.data)
    except OSError as error:
        return _says("disk", "bad", f"{settings.data}: {error.strerror}", "Look at the data folder.")
    text = f"{disk.free / 2**30:.1f} GiB of {disk.total / 2**30:.1f} GiB free"
    cure = "A larger disk, or shorter keeping."
    if disk.free < settings.keep_free_bytes:
        return _says("disk", "bad", f"{text}: uploads are refused", cure, disk.free)
    return _says(
        "disk",
        "poor" if disk.free < disk.total / 10 else "good",
        text,
        cure if disk.free < disk.total / 10 else "",
        disk.free,
    )


def _storage(data: Path) -> Examined:
    """Writes, flushes, reads and removes, where the videos are."""
    folder = data / "blobs" if (data / "blobs").is_dir() else data
    path, wanted = folder / f".doctor-{secrets.token_hex(4)}", secrets.token_bytes(4096)
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(wanted)
            file.flush()
            os.fsync(file.fileno())
        came_back = path.read_bytes() == wanted
    except OSError as error:
        return _says(
            "storage",
            "bad",
            f"{folder}: {error.strerror}",
            "Give the data folder to the user who runs the server.",
        )
    finally:
        path.unlink(missing_ok=True)
    if not came_back:
        return _says(
            "storage", "bad", "what was written did not come back", "Replace the disk; restore a backup."
        )
    return _says("storage", "good", "writes, keeps and removes")


def _database(facts: Facts) -> Examined:
    if not facts.is_current:
        return _says(
            "database", "poor", "its schema is another release's", "Start the server once with this release."
        )
    return _says("database", "good", "answers")


def _bus(settings: Settings, server_name: str) -> Examined:
    """Says a word to the other nodes and listens for it."""
    try:
        wire = wire_of(settings, server_name)
        if wire is None:
            return _says("bus", "good", "none is needed: nobody shares the database")
        bus.check(wire)
    except (BadSettings, UnusableBus) as error:
        cure = "docs/guides/several-nodes.md says what it is asked for; without RESTANTE_BUS_URL the database passes hints on."
        return _says("bus", "bad", str(error), cure)
    return _says("bus", "good", f"{wire.kind} at {wire.place} passes hints on")


def _secrets(data: Path) -> Examined:
    """Whether other users of the machine can read what only the server may."""
    try:
        open_ = [
            path.name
            for path in (data, *data.glob("*.key"), *data.glob("*.sqlite3"), *data.glob("tls/*.key"))
            if path.stat().st_mode & 0o077
        ]
    except OSError as error:
        return _says("secrets", "bad", f"{error.filename}: {error.strerror}", "Look at the data folder.")
    if open_ and data.stat().st_mode & 0o077:
        return _says(
            "secrets",
            "bad",
            f"other users of this machine can read {', '.join(open_[:3])}",
            f"chmod -R go= {data}",
        )
    return _says("secrets", "good", "readable for the server only")


def _mail(settings: Settings, server_name: str) -> Examined:
    if not settings.smtp_url:
        return _says("mail", "good", "switched off: nobody is told of news by mail")
    try:
        Mailer(settings.smtp_url, settings.mail_from, server_name).probe()
    except MailFailed as error:
        return _says(
            "mail",
            "bad",
            f"the mail server does not take us: {error}",
            "Look at RESTANTE_SMTP_URL: name, port, user and password.",
        )
    return _says("mail", "good", "the mail server takes us")


def _push(settings: Settings, facts: Facts) -> Examined:
    late = _late(facts, {"push"})
    if late:
        return _says(
            "push",
            "bad",
            f"pushes wait for {late // 60_000} minutes",
            "Let the server reach the browsers' push services: HTTPS to the outside.",
            late // 1000,
        )
    if not settings.origins and settings.tls == "off":
        return _says("push", "poor", "browsers take pushes at HTTPS addresses only", "As for the address.")
    return _says("push", "good", "none waits")


def _work(facts: Facts) -> Examined:
    late = _late(facts, {each.kind for each in facts.waiting} - {"push"})
    if late:
        return _says(
            "work",
            "bad",
            f"work waits for {late // 60_000} minutes",
            "Is the server running? Its log says why: task-failed.",
            late // 1000,
        )
    return _says("work", "good", "none waits")


def _late(facts: Facts, kinds: set[str]) -> int:
    """How long the oldest work of some kinds is due, when that is too long."""
    late = [facts.now_ms - each.oldest_due_at for each in facts.waiting if each.kind in kinds]
    return max((each for each in late if each > _WORK_MS), default=0)


def _backup(facts: Facts) -> Examined:
    cure = "Every night: restante backup FOLDER"
    at = facts.upkeep["backup_at"]
    if not at:
        return _says("backup", "poor", "there was none yet", cure)
    age = facts.now_ms - at
    return _says(
        "backup",
        "poor" if age > BACKUP_MS else "good",
        f"{_ago(age)} ago",
        cure if age > BACKUP_MS else "",
        age // 1000,
    )


def _check(facts: Facts) -> Examined:
    cure = "Every week: restante check --read-data"
    at, errors = facts.upkeep["check_at"], facts.upkeep["check_errors"]
    if errors:
        return _says(
            "check",
            "bad",
            f"the last check found {errors} things wrong",
            "restante check names them; docs/guides/backup.md says what to do.",
            errors,
        )
    if not at:
        return _says("check", "poor", "the data were never checked", cure)
    age = facts.now_ms - at
    return _says(
        "check",
        "poor" if age > CHECK_MS else "good",
        f"{_ago(age)} ago, nothing wrong",
        cure if age > CHECK_MS else "",
        age // 1000,
    )


def _abuse(settings: Settings) -> Examined:
    if settings.abuse_contact:
        return _says("abuse", "good", settings.abuse_contact)
    return _says(
        "abuse",
        "poor",
        "nobody knows where to write about abuse, and nobody may have an answering page",
        "Set RESTANTE_ABUSE_CONTACT.",
    )


def _operator(facts: Facts) -> Examined:
    if facts.operators:
        return _says("operator", "good", f"{facts.operators} in the browser", value=facts.operators)
    return _says("operator", "poor", "no account runs the server in a browser", "restante operator link")


def _witnesses(settings: Settings, facts: Facts) -> Examined:
    if not settings.witnesses:
        return _says("witnesses", "good", "none is asked")
    away = [why for why in map(_why_away, settings.witnesses) if why]
    if away:
        cure = "Look at RESTANTE_WITNESSES, and ask who runs it: who requires its signature takes no new key."
        return _says("witnesses", "bad", "; ".join(away), cure, len(away))
    if facts.unsigned:
        names = ", ".join(Witness.parse(one).key.name for one in facts.unsigned)
        cure = "Is the server running? Its log says why: witness-failed."
        text = f"not signed the newest checkpoint: {names}"
        return _says("witnesses", "poor", text, cure, len(facts.unsigned))
    return _says("witnesses", "good", f"each of {len(settings.witnesses)} answers and has signed")


def _why_away(named: str) -> str:
    """Whether a witness is where it is said to be: it finds fault with nothing handed in, and says so."""
    witness = Witness.parse(named)
    try:
        with httpx.Client(trust_env=False, timeout=_WITHIN_S) as client:
            status = client.post(witness.address, content=b"").status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"{witness.key.name} does not answer: {type(error).__name__}"
    return "" if status in _FAULTS_FOUND else f"{witness.key.name} answers {status}"


def _webapp() -> Examined:
    if _WEBAPP.is_file():
        return _says("webapp", "good", "built")
    return _says("webapp", "bad", "the web app is not there", "make web, or install a released package.")


def _versions() -> Examined:
    return _says(
        "versions", "good", f"Restante {__version__}, SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}"
    )


def _ago(age_ms: int) -> str:
    hours = max(0, age_ms) // 3_600_000
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
