"""Any kind of key: reading one, wrapping a file key for many, and unwrapping it with one of several."""

from collections.abc import Callable, Sequence

from restante.crypto.age.errors import BadKey, HeaderError, NoMatch
from restante.crypto.age.header import Header, write_header
from restante.crypto.age.hybrid import HybridIdentity, HybridRecipient
from restante.crypto.age.x25519 import X25519Identity, X25519Recipient

Identity = X25519Identity | HybridIdentity
"""A private key; never to be confused with a person."""
Recipient = X25519Recipient | HybridRecipient
"""A public key; never to be confused with a person."""

FILE_KEY_BYTES = 16
_LONELY = "scrypt"


def parse_identity(text: str) -> Identity:
    """Reads ``AGE-SECRET-KEY-PQ-1…`` or ``AGE-SECRET-KEY-1…``. Raises BadKey."""
    if text.startswith("AGE-SECRET-KEY-PQ-1"):
        return HybridIdentity.parse(text)
    return X25519Identity.parse(text)


def parse_recipient(text: str) -> Recipient:
    """Reads ``age1pq1…`` or ``age1…``. Raises BadKey."""
    if text.startswith("age1pq1"):
        return HybridRecipient.parse(text)
    return X25519Recipient.parse(text)


def wrap_file_key(file_key: bytes, recipients: Sequence[Recipient], random: Callable[[int], bytes]) -> bytes:
    """Writes the header for these recipients, all of one type: a file is as weak as its weakest stanza."""
    if not recipients:
        raise BadKey("a file is sealed to one recipient at least")
    if len({type(recipient) for recipient in recipients}) > 1:
        raise BadKey("post-quantum and X25519 recipients do not mix")
    return write_header(file_key, [recipient.wrap(file_key, random) for recipient in recipients])


def unwrap_file_key(header: Header, identities: Sequence[Identity], *, stanzas: int | None) -> bytes:
    """Returns the authenticated file key; ``stanzas`` is how many the caller demands.

    Raises HeaderError, BadMac or NoMatch.
    """
    if stanzas is not None and len(header.stanzas) != stanzas:
        raise HeaderError(f"{len(header.stanzas)} stanzas where {stanzas} are expected")
    if len(header.stanzas) > 1 and any(stanza.args[0] == _LONELY for stanza in header.stanzas):
        raise HeaderError("a passphrase's stanza must be alone")
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            header.authenticate(file_key)
            return file_key
    raise NoMatch("no identity opens this file")
