"""The link of an answering page and what it opens: the greeting, and the profile that names it and may say a few words.

Implements docs/protocol/links.md, "Answering page".
"""

import secrets
from collections.abc import Callable, Collection

import msgspec

from restante.crypto.age import AgeError, X25519Identity, seal, unseal
from restante.crypto.errors import PageDamaged, WrongSigner
from restante.crypto.fields import Millis
from restante.protocol.limits import PROFILE_BYTES
from restante.signing import container
from restante.signing.keys import SigningKey

NOTE_CHARS = 1000
"""Longest note on a page."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What its owner says on a page; ``greeting`` is the id of the message with the greeting."""

    acct: str
    created: Millis
    greeting: str | None = None
    note: str | None = None


def seal_profile(
    profile: Profile,
    identity: X25519Identity,
    key: SigningKey,
    *,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Seals for those who have the page's link."""
    plaintext = container.write_padded(container.Type.PROFILE, profile, key=key)
    return seal(plaintext, identity.recipient(), random=random)


def open_profile(sealed: bytes, identity: X25519Identity, *, acct: str, keys: Collection[bytes]) -> Profile:
    """Opens a page's profile, signed by one of the owner's keys. Raises PageDamaged, WrongSigner, SigningError."""
    if len(sealed) > PROFILE_BYTES:
        raise PageDamaged
    try:
        plaintext = unseal(sealed, identity, stanzas=1)
    except AgeError as error:
        raise PageDamaged from error
    box = container.read(plaintext, container.Type.PROFILE, limit=PROFILE_BYTES)
    if box.signer not in keys:
        raise WrongSigner
    profile = box.decode(Profile)
    if profile.acct != acct:
        raise WrongSigner
    return profile
