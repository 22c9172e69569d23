"""Objects in a bucket that speaks S3, by obstore; loaded only where `RESTANTE_BLOB_URL` is set."""

import errno
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store

from restante.protocol.limits import MIB
from restante.server.blobs import rules
from restante.server.blobs.objects import Bucket

T = TypeVar("T")

ANSWER_S = 10
"""How long one request may take."""
TRIES_S = 12
"""How long a request is tried again. Together with one that is under way: less than the 30 s that a client waits."""
MULTIPART_BYTES = 8 * MIB
"""What is larger is stored in parts of so many bytes."""
_REASONS = {
    "NoSuchBucket": "there is no such bucket",
    "RequestTimeTooSkewed": "this machine's clock is more than a quarter of an hour off: set it",
    "InvalidAccessKeyId": "it does not know RESTANTE_BLOB_KEY",
    "SignatureDoesNotMatch": "RESTANTE_BLOB_SECRET is not the secret of RESTANTE_BLOB_KEY",
    "error sending request": "it cannot be reached at its endpoint",
    "certificate": "its certificate is not trusted",
}
"""What an answer has in it, and what that means to the operator."""


class S3Objects:
    """An object store that can be asked from many threads."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        signing: S3Store | None = None,
        faults: Callable[[str], Iterator[str]] = lambda _: iter(()),
        refusals: Callable[[str, tuple[str, ...]], Iterator[str]] = lambda *_: iter(()),
    ) -> None:
        self._store = store
        self._signing = signing
        self._faults, self._refusals = faults, refusals

    def put(self, name: str, data: bytes) -> None:
        """Stores an object in one request; tried again, it stores the same bytes under the same name."""
        stored = _asked(lambda: obstore.put(self._store, name, data, use_multipart=False))
        if not stored["e_tag"]:
            raise OSError(errno.EIO, "it answered without saying what it stored")

    def put_all(self, name: str, pieces: Iterator[bytes], *, size: int) -> None:
        """Stores it by a multipart upload where it is large: in parts of 8 MiB, since S3 takes none below 5 but the last.

        One that is not closed never becomes an object. The pieces are made here, outside of the library, which they may use.
        """
        if size <= MULTIPART_BYTES:
            self.put(name, b"".join(pieces))
            return
        writer = _asked(
            lambda: obstore.open_writer(self._store, name, buffer_size=MULTIPART_BYTES, max_concurrency=2)
        )
        for piece in pieces:
            _asked(partial(writer.write, piece))
        _asked(writer.close)

    def get(self, name: str, start: int, length: int) -> bytes:
        """Reads a range of an object."""
        return bytes(_asked(lambda: obstore.get_range(self._store, name, start=start, length=length)))

    def names(self, prefix: str) -> Iterator[str]:
        """Lists by whole folders in the store, and within one by the letter."""
        folder = prefix.rpartition("/")[0]
        pages = _asked(lambda: iter(obstore.list(self._store, folder or None)))
        while (page := _asked(lambda: next(pages, None))) is not None:
            yield from (str(found["path"]) for found in page if str(found["path"]).startswith(prefix))

    def delete(self, names: list[str]) -> None:
        """Removes up to a thousand in one request; S3 takes a missing one as removed."""
        _asked(lambda: obstore.delete(self._store, names))

    def addresses(self, names: list[str], *, for_s: int) -> list[str]:
        """Signs addresses by which each may be read; that is arithmetic only."""
        if self._signing is None:
            raise OSError(errno.ENOTSUP, "it signs no addresses")
        return list(obstore.sign(self._signing, "GET", names, timedelta(seconds=for_s)))

    def faults(self, name: str, *, read_by: tuple[str, ...] | None) -> Iterator[str]:
        """Asks what the library does not."""
        if isinstance(self._store, S3Store):
            yield from self._faults(obstore.sign(self._store, "GET", name, timedelta(seconds=ANSWER_S)))
        if read_by is not None:
            (public,) = self.addresses([name], for_s=ANSWER_S)
            yield from self._refusals(public, read_by)


def open_bucket(bucket: Bucket, *, key: str, secret: str) -> S3Objects:
    """Connects to a bucket; nothing is asked of it yet."""
    store = _store(bucket, bucket.host, key=key, secret=secret)
    signing = _store(bucket, bucket.public, key=key, secret=secret) if bucket.public else store
    return S3Objects(
        store,
        signing=signing,
        faults=lambda probe: rules.faults(bucket, key=key, secret=secret, probe=probe),
        refusals=lambda probe, origins: rules.refusals(bucket, probe=probe, origins=origins),
    )


def _store(bucket: Bucket, endpoint: str, *, key: str, secret: str) -> S3Store:
    return S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        endpoint=endpoint,
        region=bucket.region,
        access_key_id=key,
        secret_access_key=secret,
        client_options={
            "timeout": timedelta(seconds=ANSWER_S),
            "connect_timeout": timedelta(seconds=3),
            "allow_http": endpoint.startswith("http://"),
        },
        retry_config={
            "max_retries": 4,
            "retry_timeout": timedelta(seconds=TRIES_S),
            "backoff": {
                "base": 2,
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=2),
            },
        },
    )


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise OSError(errno.EIO, _REASONS["NoSuchBucket"]) from error
        raise FileNotFoundError(errno.ENOENT, "there is no such object") from error
    except (BaseError, OSError) as error:
        text = str(error)
        if "AccessDenied" in text:
            raise PermissionError(errno.EACCES, "RESTANTE_BLOB_KEY may not do that there") from error
        reason = next((said for sign, said in _REASONS.items() if sign in text), type(error).__name__)
        raise OSError(errno.EIO, reason) from error
