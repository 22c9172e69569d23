"""Everything that one server process holds: made once, opened at start, closed at stop."""

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from restante.server.abuse.service import Reports
from restante.server.accounts.service import Accounts
from restante.server.accounts.ways_in import WaysIn
from restante.server.acquaintances.service import Acquaintances
from restante.server.admission.provider import Provider
from restante.server.admission.service import Admission
from restante.server.audit.service import Audit
from restante.server.availability.file import NAME as AVAILABILITY_FILE
from restante.server.availability.in_force import ChartFile
from restante.server.availability.place import Places
from restante.server.availability.service import Availability
from restante.server.blobs.remote import RemoteBlobs
from restante.server.blobs.store import BlobStore
from restante.server.bus.memory import MemoryBus
from restante.server.bus.shared import open_bus
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db import arrival, meta, migrate
from restante.server.db.engine import Database
from restante.server.db.postgres import PostgresDatabase, alone
from restante.server.jobs.courier import Courier, Errand
from restante.server.jobs.loop import Jobs
from restante.server.keys.service import Keys
from restante.server.limits.service import Limiter
from restante.server.links.service import GuestLinks
from restante.server.log import Log
from restante.server.messages.service import Messages
from restante.server.mine.service import Mine
from restante.server.operators.service import Operators
from restante.server.outbox import queue
from restante.server.outbox.queue import Kind, Task
from restante.server.pages.service import Pages
from restante.server.pairing.service import Pairings
from restante.server.passkeys.service import Passkeys
from restante.server.payments.providers import open_provider
from restante.server.payments.service import Payments
from restante.server.plans import declared
from restante.server.plans.service import Plans
from restante.server.push.errands import Errands, Outward
from restante.server.push.mail import Mailer
from restante.server.push.posting import Post
from restante.server.push.service import Push
from restante.server.push.webpush import Vapid
from restante.server.sessions.service import Sessions
from restante.server.standstill import Standstill
from restante.server.storage import Storage, embedded
from restante.server.transparency.service import Transparency
from restante.server.transparency.witnesses import Witnesses
from restante.server.uploads.ledger import BlobLedger, check_place
from restante.server.uploads.service import Uploads
from restante.signing.keys import SigningKey


@dataclass(frozen=True, slots=True)
class House:
    """The parts, by their room."""

    settings: Settings
    clock: Clock
    log: Log
    server_name: str
    database: Database
    bus: MemoryBus
    places: Places
    admission: Admission
    availability: Availability
    sessions: Sessions
    keys: Keys
    passkeys: Passkeys
    accounts: Accounts
    pairings: Pairings
    ways_in: WaysIn
    transparency: Transparency
    witnesses: Witnesses
    acquaintances: Acquaintances
    reports: Reports
    plans: Plans
    payments: Payments
    uploads: Uploads
    links: GuestLinks
    pages: Pages
    messages: Messages
    audit: Audit
    operators: Operators
    jobs: Jobs
    push: Push
    mine: Mine
    courier: Courier

    @property
    def log_key(self) -> SigningKey:
        """Of the log of account records; the desk's record has its key from it, too."""
        return self.transparency.signing_key

    async def open(self) -> None:
        """Starts what runs beside the requests."""
        self.database.start()
        await self.bus.start()
        await self.uploads.start()
        self.jobs.start()
        self.courier.start()
        self.witnesses.start()

    def interrupt(self) -> None:
        """Ends live channels and uploads in progress with what they have, and takes no new ones."""
        self.bus.close()
        self.uploads.interrupt()

    async def close(self) -> None:
        """Lets work finish and closes the files; within ``drain_s``."""
        self.interrupt()
        await self.jobs.stop()
        await self.courier.stop()
        await self.witnesses.stop()
        await self.uploads.stop()
        await self.bus.stop()
        await self.admission.close()
        self.places.close()
        self.database.stop()
        self.log.flush()


def _blobs(storage: Storage, database: Database, clock: Clock, settings: Settings) -> BlobStore:
    """Where the blobs are. Raises UnusableBlobs."""
    check_place(storage.writer, remote=storage.objects is not None)
    if storage.objects is None:
        return storage.blobs
    remote = RemoteBlobs(storage.objects, BlobLedger(database, clock))
    remote.check(read_by=settings.origins if settings.blob_reads == "direct" else None)
    return remote


def _database(storage: Storage, folder: Path) -> Database:
    if storage.writer.dialect.name == "postgresql":
        return PostgresDatabase(storage.writer, storage.readers[0])
    return Database(storage.writer, storage.readers, standstill=Standstill(folder))


def _remembered(storage: Storage, settings: Settings) -> tuple[str, dict[str, bytes]]:
    """What was made at the first start: the server's name, and its keys by their purpose."""
    with storage.writer.begin() as connection:
        arrival.note_start(connection)
        purposes = "salts claims limits cursors proofs acquaintances vapid notices admission customers sessions uploads"
        keys = {purpose: meta.secret(connection, purpose) for purpose in purposes.split()}
        return meta.server_name(connection, settings.server_name), keys


@dataclass(frozen=True, slots=True)
class _Base:
    """What every room stands on."""

    database: Database
    clock: Clock
    settings: Settings
    bus: MemoryBus
    log: Log
    server_name: str


def furnish(
    settings: Settings, clock: Clock, storage: Storage | None = None, *, log_to: TextIO = sys.stdout
) -> House:
    """Opens the storage, brings the schema up to date, and connects the parts."""
    storage = storage or embedded(settings)
    with alone(storage.writer):
        migrate.upgrade(storage.writer)
        server_name, keys = _remembered(storage, settings)
    log = Log(clock, key=secrets.token_bytes(32), stream=log_to)
    bus = open_bus(settings, log, server_name)
    base = _Base(_database(storage, settings.data), clock, settings, bus, log, server_name)
    return _connected(base, storage, _blobs(storage, base.database, clock, settings), keys)


def _connected(base: _Base, storage: Storage, blobs: BlobStore, keys: dict[str, bytes]) -> House:
    """Makes the parts, each with those that it stands on; ``keys`` are the server's secrets by their purpose."""
    database, clock, settings, server_name = base.database, base.clock, base.settings, base.server_name
    limiter = Limiter(clock, key=keys["limits"])
    entry = _, admission, availability = _entry(base, limiter, key=keys["admission"])
    sessions, key_store, passkeys, accounts, pairings, ways_in = _doors(
        base, limiter, admission, availability, keys
    )
    acquaintances = Acquaintances(database, clock, key=keys["acquaintances"])
    plans, payments, uploads, links, pages, messages = _letters(
        base, blobs, keys, limiter=limiter, acquaintances=acquaintances, availability=availability
    )
    audit, operators = Audit(database), Operators(database, clock)
    jobs = _jobs(
        base,
        uploads=uploads,
        links=links,
        pages=pages,
        messages=messages,
        audit=audit,
        operators=operators,
        availability=availability,
        payments=payments,
        sessions=sessions,
        pairings=pairings,
        passkeys=passkeys,
    )
    told = _told(base, limiter, keys, admission, payments, sessions=sessions, messages=messages)
    log, witnesses = _logged(base, storage.log_key)
    return House(
        settings,
        clock,
        base.log,
        server_name,
        database,
        base.bus,
        *entry,
        sessions,
        key_store,
        passkeys,
        accounts,
        pairings,
        ways_in,
        log,
        witnesses,
        acquaintances,
        _reports(base, limiter, claim_key=keys["claims"]),
        plans,
        payments,
        uploads,
        links,
        pages,
        messages,
        audit,
        operators,
        jobs,
        told[0],
        told[1],
        told[2],
    )


def _reports(base: _Base, limiter: Limiter, *, claim_key: bytes) -> Reports:
    """Makes the part that takes reports of abuse."""
    return Reports(
        base.database,
        base.clock,
        base.settings,
        limiter=limiter,
        claim_key=claim_key,
        server_name=base.server_name,
    )


def _logged(base: _Base, key: SigningKey) -> tuple[Transparency, Witnesses]:
    """Makes the log of account records, and who signs that it only grows."""
    log = Transparency(base.database, key, server_name=base.server_name)
    named = base.settings.witnesses
    return log, Witnesses(log, base.database, base.clock, named=named, log=base.log)


def _letters(
    base: _Base,
    blobs: BlobStore,
    keys: dict[str, bytes],
    *,
    limiter: Limiter,
    acquaintances: Acquaintances,
    availability: Availability,
) -> tuple[Plans, Payments, Uploads, GuestLinks, Pages, Messages]:
    """Makes the parts by which messages are left, and paid."""
    database, clock, settings = base.database, base.clock, base.settings
    plans = Plans(database, clock, declared.load(settings))
    provider = open_provider(plans.declared, settings)
    payments = Payments(
        database, clock, plans=plans, provider=provider, bus=base.bus, log=base.log, key=keys["customers"]
    )
    uploads = Uploads(
        database, blobs, clock, settings, limiter=limiter, plans=plans, log=base.log, key=keys["uploads"]
    )
    links = GuestLinks(database, clock, settings, bus=base.bus, limiter=limiter, plans=plans)
    pages = Pages(
        database, clock, settings, links=links, limiter=limiter, plans=plans, proof_key=keys["proofs"]
    )
    messages = Messages(
        database,
        clock,
        settings,
        bus=base.bus,
        log=base.log,
        uploads=uploads,
        links=links,
        pages=pages,
        limiter=limiter,
        acquaintances=acquaintances,
        plans=plans,
        availability=availability,
        claim_key=keys["claims"],
        cursor_key=keys["cursors"],
    )
    return plans, payments, uploads, links, pages, messages


def _jobs(
    base: _Base,
    *,
    uploads: Uploads,
    links: GuestLinks,
    pages: Pages,
    messages: Messages,
    audit: Audit,
    operators: Operators,
    availability: Availability,
    payments: Payments,
    sessions: Sessions,
    pairings: Pairings,
    passkeys: Passkeys,
) -> Jobs:
    """Makes what runs beside the requests."""
    return Jobs(
        base.database,
        base.clock,
        base.settings,
        uploads=uploads,
        links=links,
        pages=pages,
        messages=messages,
        audit=audit,
        operators=operators,
        availability=availability,
        payments=payments,
        sessions=sessions,
        pairings=pairings,
        passkeys=passkeys,
        bus=base.bus,
        log=base.log,
    )


def _told(
    base: _Base,
    limiter: Limiter,
    keys: dict[str, bytes],
    admission: Admission,
    payments: Payments,
    *,
    sessions: Sessions,
    messages: Messages,
) -> tuple[Push, Mine, Courier]:
    """Makes the parts by which people are told, and by which an account ends."""
    database, clock, settings, bus, log = base.database, base.clock, base.settings, base.bus, base.log
    server_name = base.server_name
    vapid = Vapid.of(keys["vapid"])
    push = Push(database, clock, settings, limiter=limiter, vapid=vapid, key=keys["notices"])
    mine = Mine(database, clock, sessions=sessions, messages=messages, bus=bus)
    mailer = Mailer(settings.smtp_url, settings.mail_from, server_name) if settings.smtp_url else None
    post = Post(private=settings.private_targets == "allow")
    outward = Outward(
        post, mailer, vapid, keys["notices"], server_name, admission.code_of, payments.dunning.notice
    )
    errands = Errands(database, clock, settings, outward=outward, log=log)

    async def remove(task: Task) -> None:
        await mine.remove(int(task.subject))
        await database.write(lambda connection: queue.done(connection, task))

    async def close() -> None:
        await errands.close()
        await payments.close()

    by_kind: dict[Kind, Errand] = {
        "delete-account": remove,
        "tell": errands.tell,
        "push": errands.push,
        "mail": errands.mail,
        "mail-code": errands.mail_code,
        "mail-opened": errands.mail_opened,
        "mail-ticket": errands.mail_ticket,
        "mail-invite": errands.mail_invite,
        "mail-plan": errands.mail_plan,
        "webhook": errands.webhook,
        "payment": payments.look,
        "forget-customer": payments.forget,
    }
    return push, mine, Courier(database, clock, errands=by_kind, close=close, bus=bus, log=log)


def _entry(base: _Base, limiter: Limiter, *, key: bytes) -> tuple[Places, Admission, Availability]:
    """Makes the parts that say who may sign up, and where sign-up and sending are open. Raises BadFile."""
    database, clock, settings = base.database, base.clock, base.settings
    database_file = Path(settings.country_database) if settings.country_database else None
    places = Places(
        header=settings.country_header, database=database_file, trusted_proxies=settings.trusted_proxies
    )
    provider = Provider(settings, clock, key=key) if settings.oidc_issuer else None
    admission = Admission(database, clock, settings, limiter=limiter, provider=provider, key=key)
    file = ChartFile(
        settings.data / AVAILABILITY_FILE,
        clock,
        lambda why: base.log.event("availability-refused", reason=why),
    )
    return places, admission, Availability(database, clock, settings, limiter=limiter, file=file)


def _doors(
    base: _Base, limiter: Limiter, admission: Admission, availability: Availability, keys: dict[str, bytes]
) -> tuple[Sessions, Keys, Passkeys, Accounts, Pairings, WaysIn]:
    """Makes the parts by which people come in."""
    database, clock, settings, server_name = base.database, base.clock, base.settings, base.server_name
    sessions = Sessions(database, clock, bus=base.bus, key=keys["sessions"])
    key_store = Keys(database, clock, sessions, server_name=server_name)
    passkeys = Passkeys(database, clock, settings, limiter=limiter, server_name=server_name)
    accounts = Accounts(
        database,
        clock,
        settings,
        sessions=sessions,
        passkeys=passkeys,
        limiter=limiter,
        admission=admission,
        availability=availability,
        server_name=server_name,
        salt_key=keys["salts"],
    )
    pairings = Pairings(
        database, clock, settings, sessions=sessions, limiter=limiter, server_name=server_name
    )
    ways_in = WaysIn(
        database, clock, settings, sessions=sessions, keys=key_store, passkeys=passkeys, limiter=limiter
    )
    return sessions, key_store, passkeys, accounts, pairings, ways_in
