"""Objects in a bucket that speaks S3, by obstore; loaded only where `RESTANTE_BLOB_URL` is set."""

import errno
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store

from restante.server.blobs.objects import Bucket

T = TypeVar("T")

ANSWER_S = 10
"""How long one request may take."""
TRIES_S = 12
"""How long a request is tried again. Together with one that is under way: less than the 30 s that a client waits."""
_REASONS = {
    "NoSuchBucket": "there is no such bucket",
    "RequestTimeTooSkewed": "this machine's clock is more than a quarter of an hour off: set it",
    "InvalidAccessKeyId": "it does not know RESTANTE_BLOB_KEY",
    "SignatureDoesNotMatch": "RESTANTE_BLOB_SECRET is not the secret of RESTANTE_BLOB_KEY",
    "AccessDenied": "RESTANTE_BLOB_KEY may not store, read, list and remove objects there",
    "error sending request": "it cannot be reached at its endpoint",
    "certificate": "its certificate is not trusted",
}
"""What an answer has in it, and what that means to the operator."""


class S3Objects:
    """An object store that can be asked from many threads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put(self, name: str, data: bytes) -> None:
        """Stores an object in one request; tried again, it stores the same bytes under the same name."""
        stored = _asked(lambda: obstore.put(self._store, name, data, use_multipart=False))
        if not stored["e_tag"]:
            raise OSError(errno.EIO, "it answered without saying what it stored")

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


def open_bucket(bucket: Bucket, *, key: str, secret: str) -> S3Objects:
    """Connects to a bucket; nothing is asked of it yet."""
    store = S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        endpoint=bucket.endpoint or f"https://s3.{bucket.region}.amazonaws.com",
        region=bucket.region,
        access_key_id=key,
        secret_access_key=secret,
        client_options={
            "timeout": timedelta(seconds=ANSWER_S),
            "connect_timeout": timedelta(seconds=3),
            "allow_http": bucket.endpoint.startswith("http://"),
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
    return S3Objects(store)


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise OSError(errno.EIO, _REASONS["NoSuchBucket"]) from error
        raise FileNotFoundError(errno.ENOENT, "there is no such object") from error
    except (BaseError, OSError) as error:
        text = str(error)
        reason = next((said for sign, said in _REASONS.items() if sign in text), type(error).__name__)
        raise OSError(errno.EIO, reason) from error
