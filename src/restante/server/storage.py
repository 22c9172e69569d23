"""Where a server's data are: the engines of its database, its blobs, and the key of its log; opened as the settings say."""

from dataclasses import dataclass, field
from importlib import import_module

from sqlalchemy import Engine

from restante.server.blobs.local import LocalBlobs
from restante.server.blobs.objects import Bucket, Objects
from restante.server.blobs.store import BlobStore
from restante.server.config import BadSettings, Settings
from restante.server.db.engine import sqlite_engine, sqlite_readers
from restante.server.db.postgres import postgres_engines
from restante.server.standstill import check_start
from restante.server.transparency import keyfile
from restante.server.uploads import folder
from restante.signing.keys import SigningKey


@dataclass(frozen=True, slots=True)
class Storage:
    """Where everything is kept: the database's engines, the blobs, and the key of the log of account records."""

    writer: Engine
    readers: tuple[Engine, ...]
    blobs: BlobStore
    log_key: SigningKey = field(default_factory=SigningKey.generate)
    objects: Objects | None = None
    """Where blobs are instead, when they are in a bucket."""


def embedded(settings: Settings) -> Storage:
    """The default: one SQLite file and local files, in a folder made with 0700; what the settings name stands in their place.

    Raises UnsafeDatabase, Elsewhere, OtherFolder.
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_start(settings.data, database=bool(settings.database_url), blobs=bool(settings.blob_url))
    writer, readers = engines(settings)
    if settings.database_url and not settings.blob_url:
        folder.check(writer, settings.data)
    blobs = LocalBlobs(settings.data / "blobs")
    keyfile.check_is_there(writer, settings.data, settings.log_key)
    log_key = keyfile.load(settings.data, settings.log_key)
    return Storage(writer, readers, blobs, log_key, open_objects(settings))


def open_objects(settings: Settings) -> Objects | None:
    """The bucket of the settings, if they name one. Raises BadSettings."""
    if not settings.blob_url:
        return None
    try:
        bucket = Bucket.parse(settings.blob_url)
    except ValueError as error:
        raise BadSettings(f"RESTANTE_BLOB_URL {error}") from error
    # Its library is an extra, which nobody else has to install.
    opened: Objects = import_module("restante.server.blobs.s3").open_bucket(
        bucket, key=settings.blob_key, secret=settings.blob_secret
    )
    return opened


def readable_at(settings: Settings) -> str:
    """How the addresses of videos begin that clients read from the bucket themselves; empty where they read none."""
    return Bucket.parse(settings.blob_url).readable_at if settings.blob_reads == "direct" else ""


def engines(settings: Settings) -> tuple[Engine, tuple[Engine, ...]]:
    """What writes to the database of the settings, and what reads. Raises UnsafeDatabase."""
    if settings.database_url:
        writer, reader = postgres_engines(settings.database_url)
        return writer, (reader,)
    path = settings.data / "restante.sqlite3"
    return sqlite_engine(path), sqlite_readers(path)
