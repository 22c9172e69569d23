"""What a passkey's answers must be (WebAuthn Level 3, sections 7.1 and 7.2), and what a person is told when they are not: nothing.

The signature and the form of what is signed are py_webauthn's business; here stands what it leaves to its callers.

[Note: Library's errors] Its parsers, and those below them, raise what they please: each means that the answer is malformed.
"""

import hmac
from typing import Any, Final

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import parse_cbor
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import AuthenticatorTransport, CredentialDeviceType

from restante.protocol import wire_passkeys as wire
from restante.protocol.encoding import b64, unb64
from restante.protocol.ijson import BadJson
from restante.protocol.ijson import loads as strict_json
from restante.server.passkeys.shapes import Ceremony, NewPasskey, Passkey, PasskeyRefused

CHALLENGE_BYTES = 32
USER_HANDLE_BYTES = 32
PUBLIC_KEY_BYTES = 1024
"""An RSA key of 4,096 bits fits; a larger one would only cost time."""
ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]

TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)


def new_passkey(credential: wire.NewCredential, ceremony: Ceremony) -> NewPasskey:
    """Checks what an authenticator says of a new passkey. Raises PasskeyRefused."""
    response = credential.response
    _check_client_data(response.client_data)
    _check_attestation(response.attestation_object)
    try:
        verified = verify_registration_response(
            credential=_posted(
                credential, clientDataJSON=response.client_data, attestationObject=response.attestation_object
            ),
            expected_challenge=ceremony.challenge,
            expected_rp_id=ceremony.origin.rp_id,
            expected_origin=ceremony.origin.text,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception as error:
        raise PasskeyRefused("invalid") from error  # see [Note: Library's errors]
    if b64(verified.credential_id) != credential.id or len(verified.credential_public_key) > PUBLIC_KEY_BYTES:
        raise PasskeyRefused("invalid")
    return NewPasskey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        user_handle=ceremony.user_handle,
        rp_id=ceremony.origin.rp_id,
        sign_count=verified.sign_count,
        backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        transports=tuple(name for name in response.transports if name in TRANSPORTS),
    )


def check_assertion(assertion: wire.Assertion, ceremony: Ceremony, passkey: Passkey) -> int:
    """Checks what a passkey signed; returns its counter. Raises PasskeyRefused.

    [Note: Counters] A passkey that stays on one device and whose counter does not grow has a copy somewhere: refused.
    Synchronised ones count, if at all, on each device by itself.
    """
    response = assertion.response
    if passkey.rp_id != ceremony.origin.rp_id:
        raise PasskeyRefused("elsewhere")
    if not hmac.compare_digest(unb64_or_refuse(response.user_handle or ""), passkey.user_handle):
        raise PasskeyRefused("owner")
    _check_client_data(response.client_data)
    try:
        verified = verify_authentication_response(
            credential=_posted(
                assertion,
                clientDataJSON=response.client_data,
                authenticatorData=response.authenticator_data,
                signature=response.signature,
            ),
            expected_challenge=ceremony.challenge,
            expected_rp_id=ceremony.origin.rp_id,
            expected_origin=ceremony.origin.text,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # see [Note: Counters]
            require_user_verification=True,
        )
    except Exception as error:
        raise PasskeyRefused("invalid") from error  # see [Note: Library's errors]
    is_eligible = verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    if is_eligible != passkey.backup_eligible:
        raise PasskeyRefused("changed")
    if (
        not is_eligible
        and max(verified.new_sign_count, passkey.sign_count) > 0
        and verified.new_sign_count <= passkey.sign_count
    ):
        raise PasskeyRefused("counter")
    return verified.new_sign_count


def unb64_or_refuse(text: str) -> bytes:
    """Reads base64url. Raises PasskeyRefused."""
    try:
        return unb64(text)
    except ValueError as error:
        raise PasskeyRefused("invalid") from error


def _posted(credential: wire.NewCredential | wire.Assertion, **response: str) -> dict[str, Any]:
    """What py_webauthn takes: the parts that are signed, and no others."""
    return {"id": credential.id, "rawId": credential.raw_id, "type": credential.type, "response": response}


def _check_client_data(text: str) -> None:
    """No frame of another page asked for it (section 7.1, steps 10 and 11; py_webauthn does not look)."""
    try:
        data = strict_json(unb64_or_refuse(text))
    except BadJson as error:
        raise PasskeyRefused("invalid") from error
    if not isinstance(data, dict) or data.get("crossOrigin", False) is not False or "topOrigin" in data:
        raise PasskeyRefused("elsewhere")


def _check_attestation(text: str) -> None:
    """None was asked for, so browsers pass on none or the passkey's own signature; certificates are not even parsed."""
    try:
        found = parse_cbor(unb64_or_refuse(text))
        is_own = found["fmt"] == "packed" and "x5c" not in found["attStmt"]
        is_asked_for = found["fmt"] == "none" or is_own
    except Exception as error:
        raise PasskeyRefused("invalid") from error  # see [Note: Library's errors]
    if not is_asked_for:
        raise PasskeyRefused("attestation")
