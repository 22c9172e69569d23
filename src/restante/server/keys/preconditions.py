"""If-Match and If-None-Match (RFC 9110 section 13.1) of a PUT: nobody overwrites what they have not seen."""

import re
from dataclasses import dataclass

from restante.server.errors import Refusal

_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"\s*{_ETAG}(?:\s*,\s*{_ETAG})*\s*\Z")
_TAG = re.compile(r'(W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must be stored for the PUT to go ahead: nothing (``versions`` is None), or one of these versions."""

    versions: frozenset[str] | None

    def holds(self, stored: str | None) -> bool:
        """Tells whether the stored version, or its absence, is the expected one."""
        if self.versions is None:
            return stored is None
        return stored is not None and stored in self.versions


def read(if_match: str | None, if_none_match: str | None) -> Precondition:
    """Reads the two headers, of which exactly one is needed.

    ``If-Match: *`` is refused: it means "whatever is there", which is what the header is to prevent.
    Raises Refusal precondition-required or bad-request.
    """
    if if_match is None and if_none_match is None:
        raise Refusal("precondition-required")
    if if_match is not None and if_none_match is not None:
        raise Refusal("bad-request", detail="If-Match and If-None-Match together")
    if if_match is None:
        if if_none_match != "*":
            raise Refusal("bad-request", detail="If-None-Match takes * only")
        return Precondition(None)
    if not _LIST.match(if_match):
        raise Refusal("bad-request", detail="If-Match takes entity tags only")
    # A weak tag never matches here (section 13.1.1).
    return Precondition(frozenset(version for weak, version in _TAG.findall(if_match) if not weak))


def etag(version: str) -> str:
    """Writes a version as a strong entity tag."""
    return f'"{version}"'
