"""The contract of an object store, the little that is needed of one, and the address of a bucket."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_PREFIX = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)*/?\Z")
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?\Z")
_REGION = re.compile(r"[a-z0-9-]+\Z")
_OPTIONS = frozenset({"endpoint", "public", "region"})


class Objects(Protocol):
    """Names to bytes. Failures are OSError, a missing object FileNotFoundError; ``strerror`` is for the operator."""

    def put(self, name: str, data: bytes) -> None:
        """Returns when the object survives whatever the store promises to survive."""
        ...

    def put_all(self, name: str, pieces: Iterator[bytes], *, size: int) -> None:
        """Stores an object of any size from its pieces, a few of them in memory at a time; raises what the pieces raise."""
        ...

    def get(self, name: str, start: int, length: int) -> bytes:
        """Reads a range."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Every name that begins so."""
        ...

    def delete(self, names: list[str]) -> None:
        """Removes objects; missing ones are fine."""
        ...

    def addresses(self, names: list[str], *, for_s: int) -> list[str]:
        """Where anybody may read these objects for so long, without asking the store."""
        ...

    def faults(self, name: str, *, read_by: tuple[str, ...] | None) -> Iterator[str]:
        """What of the store would end badly, a sentence each, looked at with an object that is there.

        ``read_by``: the origins of pages that read from it themselves; None when clients do not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where objects are. Without an endpoint it is Amazon's."""

    name: str
    prefix: str
    endpoint: str
    region: str
    public: str = ""
    """Where clients reach the endpoint, if they do not under its own name."""

    @property
    def host(self) -> str:
        """The endpoint as the server reaches it."""
        return self.endpoint or f"https://s3.{self.region}.amazonaws.com"

    @property
    def readable_at(self) -> str:
        """What the address of every object begins with, where clients read."""
        return "/".join(part for part in (self.public or self.host, self.name, self.prefix) if part) + "/"

    @classmethod
    def parse(cls, url: str) -> "Bucket":
        """Reads ``s3://bucket/prefix?endpoint=https://host&region=name``. Raises ValueError with a sentence."""
        parts = urlsplit(url)
        options = parse_qsl(parts.query, keep_blank_values=True)
        if parts.scheme != "s3" or not _BUCKET.match(parts.netloc) or not _PREFIX.match(parts.path):
            raise ValueError("is no address such as s3://bucket/prefix?endpoint=https://s3.example")
        if unknown := {name for name, _ in options} - _OPTIONS:
            raise ValueError(f"has {min(unknown)}, which is not one of {', '.join(sorted(_OPTIONS))}")
        values = dict(options)
        if len(values) != len(options) or parts.fragment:
            raise ValueError("says something twice")
        for option in ("endpoint", "public"):
            if option in values and not _ENDPOINT.match(values[option]):
                raise ValueError(f"has {option} that is no address such as https://s3.example")
        region = values.get("region", "us-east-1")
        if not _REGION.match(region):
            raise ValueError("has a region that is no name such as us-east-1")
        return cls(
            parts.netloc, parts.path.strip("/"), values.get("endpoint", ""), region, values.get("public", "")
        )
