"""What travels of WebAuthn: what a ceremony asks of an authenticator, and what that answers.

Sign-up, sign-in and the ways in carry it in types of their own (``wire``).
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from restante.protocol.wire_base import B64, Name

CredentialId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]*$", min_length=1, max_length=1364)]
CeremonyId = Annotated[str, Meta(pattern=r"^cer_[a-z2-7]{25}[aeimquy4]$", max_length=30)]


class AttestationResponse(
    msgspec.Struct,
    frozen=True,
    rename={"client_data": "clientDataJSON", "attestation_object": "attestationObject"},
):
    """What an authenticator says of a new passkey (WebAuthn AuthenticatorAttestationResponseJSON)."""

    client_data: Annotated[B64, Meta(max_length=8192)]
    attestation_object: Annotated[B64, Meta(max_length=16384)]
    transports: Annotated[list[Annotated[str, Meta(max_length=32)]], Meta(max_length=16)] = []


class NewCredential(msgspec.Struct, frozen=True, rename={"raw_id": "rawId"}):
    """A WebAuthn RegistrationResponseJSON. What extensions answered stays away: it holds the passkey's secret."""

    id: CredentialId
    raw_id: CredentialId
    type: Literal["public-key"]
    response: AttestationResponse


class AssertionResponse(
    msgspec.Struct,
    frozen=True,
    rename={
        "client_data": "clientDataJSON",
        "authenticator_data": "authenticatorData",
        "user_handle": "userHandle",
    },
):
    """What an authenticator signs (WebAuthn AuthenticatorAssertionResponseJSON)."""

    client_data: Annotated[B64, Meta(max_length=8192)]
    authenticator_data: Annotated[B64, Meta(max_length=4096)]
    signature: Annotated[B64, Meta(max_length=4096)]
    user_handle: Annotated[B64, Meta(max_length=88)] | None = None


class Assertion(msgspec.Struct, frozen=True, rename={"raw_id": "rawId"}):
    """A WebAuthn AuthenticationResponseJSON. What extensions answered stays away: it holds the passkey's secret."""

    id: CredentialId
    raw_id: CredentialId
    type: Literal["public-key"]
    response: AssertionResponse


class StartRegistration(msgspec.Struct, frozen=True):
    """Asks for a new passkey: for a sign-up under this name, or without one for the account that is signed in."""

    name: Name | None = None


class StartAssertion(msgspec.Struct, frozen=True):
    """Asks for any passkey of this server; the passkey says whose it is."""


class Ceremony(msgspec.Struct, frozen=True):
    """A WebAuthn ceremony, good for one answer within five minutes.

    ``options`` are PublicKeyCredentialCreationOptionsJSON or PublicKeyCredentialRequestOptionsJSON.
    """

    ceremony: CeremonyId
    options: dict[str, Any]


class PasskeyEndpoints(msgspec.Struct, frozen=True, rename={"prf_usage_details": "prfUsageDetails"}):
    """Pages for password managers (W3C, A Well-Known URL for Relying Party Passkey Endpoints)."""

    enroll: str
    manage: str
    prf_usage_details: str
