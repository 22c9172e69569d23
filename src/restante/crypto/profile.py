"""The link of an answering page and what it opens: the greeting, and the profile that names it and may say a few words.

Implements docs/protocol/links.md, "Answering page".
"""

import secrets
from collections.abc import Callable, Collection
from typing import Annotated

import msgspec

from restante.crypto.age import AgeError, X25519Identity, seal, unseal
from restante.crypto.errors import PageDamaged, WrongSigner
from restante.crypto.fields import Millis
from restante.protocol.ids import Prefix, is_id
from restante.protocol.limits import PROFILE_BYTES
from restante.signing import container
from restante.signing.errors import PayloadMalformed
from restante.signing.keys import SigningKey

NOTE_CHARS = 1000
"""Longest note on a page."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What its owner says on a page; ``greeting`` is the id of the message with the greeting."""

    acct: str
    created: Millis
    greeting: str | None = None
    note: Annotated[str, msgspec.Meta(max_length=NOTE_CHARS)] | None = None


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
    """Opens a page's profile, signed by one of the owner's keys. Raises PageDamaged, WrongSigner, SigningError.

    What does not have the form of a profile is a SigningError too: its container's payload is malformed.
    """
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
    if profile.greeting is not None and not is_id(profile.greeting, Prefix.MESSAGE):
        raise PayloadMalformed("greeting")
    return profile
