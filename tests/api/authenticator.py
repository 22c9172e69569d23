"""An authenticator in software, and the browser in front of it: passkeys with user verification, and every way to be wrong.

The formats are python-fido2's, Yubico's, so that the server's library is not its own judge.
"""

import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import ES256, RS1, RS256, CoseKey, EdDSA
from fido2.utils import sha256
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from restante.protocol.encoding import b64, unb64

FLAG = AuthenticatorData.FLAG
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
Options = dict[str, Any]


@dataclass(frozen=True)
class Twist:
    """What an answer says otherwise than it should; None leaves it as it is."""

    type: str | None = None
    challenge: bytes | None = None
    origin: str | None = None
    rp_id: str | None = None
    flags_on: int = 0
    flags_off: int = 0
    counter: int | None = None
    client_data: dict[str, Any] = field(default_factory=dict)
    fmt: str = "none"
    statement: dict[str, Any] = field(default_factory=dict)
    cose: CoseKey | None = None
    user_handle: bytes | None = None
    signed_by: Key | None = None
    has_key: bool = True
    trailing: bytes = b""


RIGHT = Twist()


@dataclass
class Resident:
    """One passkey that the authenticator holds."""

    rp_id: str
    user_handle: bytes
    key: Key
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    counter: int = 0


class Authenticator:
    """Holds passkeys; ``flags`` says what it is: synchronised (BE, BS) unless told otherwise, ``counts`` whether it counts."""

    def __init__(self, *, flags: int = FLAG.UP | FLAG.UV | FLAG.BE | FLAG.BS, counts: bool = False) -> None:
        self.flags = flags
        self.counts = counts
        self.residents: list[Resident] = []

    def create(self, options: Options, origin: str, *, alg: int = -7, twist: Twist = RIGHT) -> dict[str, Any]:
        """Makes a passkey and answers as `toJSON()` does."""
        assert {"type": "public-key", "alg": alg} in options["pubKeyCredParams"] or twist.cose is not None
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert options["authenticatorSelection"]["userVerification"] == "required"
        known = {entry["id"] for entry in options.get("excludeCredentials", [])}
        if any(b64(resident.credential_id) in known for resident in self.residents):
            raise InvalidState
        key = new_key(alg)
        resident = Resident(options["rp"]["id"], unb64(options["user"]["id"]), key)
        self.residents.append(resident)
        return self.attest(resident, unb64(options["challenge"]), origin, twist=twist)

    def attest(
        self, resident: Resident, challenge: bytes, origin: str, *, twist: Twist = RIGHT
    ) -> dict[str, Any]:
        """Says of a passkey that it is new."""
        client_data = _client_data("webauthn.create", challenge, origin, twist)
        cose = twist.cose or cose_of(resident.key)
        attested = AttestedCredentialData.create(Aaguid(bytes(16)), resident.credential_id, cose)
        data = self._data(resident, twist, bytes(attested) if twist.has_key else b"")
        attestation = cbor.encode({"fmt": twist.fmt, "authData": data, "attStmt": twist.statement})
        return {
            "id": b64(resident.credential_id),
            "rawId": b64(resident.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {
                "clientDataJSON": b64(client_data),
                "attestationObject": b64(attestation),
                "transports": ["internal", "hybrid", "from-the-future"],
            },
        }

    def get(self, options: Options, origin: str, *, which: int = -1, twist: Twist = RIGHT) -> dict[str, Any]:
        """Shows a passkey of this place, the newest unless told otherwise, and answers as `toJSON()` does."""
        assert options["userVerification"] == "required"
        here = [resident for resident in self.residents if resident.rp_id == options["rpId"]]
        resident = here[which]
        resident.counter += self.counts
        client_data = _client_data("webauthn.get", unb64(options["challenge"]), origin, twist)
        data = self._data(resident, twist, b"")
        signature = sign(twist.signed_by or resident.key, data + sha256(client_data))
        handle = resident.user_handle if twist.user_handle is None else twist.user_handle
        return {
            "id": b64(resident.credential_id),
            "rawId": b64(resident.credential_id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": b64(client_data),
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": b64(handle),
            },
        }

    def _data(self, resident: Resident, twist: Twist, attested: bytes) -> bytes:
        flags = (self.flags | (FLAG.AT if attested else 0) | twist.flags_on) & ~twist.flags_off
        counter = resident.counter if twist.counter is None else twist.counter
        rp_id_hash = sha256((twist.rp_id or resident.rp_id).encode())
        return bytes(AuthenticatorData.create(rp_id_hash, FLAG(flags), counter, attested)) + twist.trailing


class InvalidState(Exception):
    """The authenticator holds one of the excluded passkeys."""


def new_key(alg: int) -> Key:
    if alg == -8:
        return ed25519.Ed25519PrivateKey.generate()
    if alg == -257:
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def cose_of(key: Key, kind: type[CoseKey] | None = None) -> CoseKey:
    kinds = {ec.EllipticCurvePrivateKey: ES256, ed25519.Ed25519PrivateKey: EdDSA, rsa.RSAPrivateKey: RS256}
    found = kind or next(cose for private, cose in kinds.items() if isinstance(key, private))
    return found.from_cryptography_key(key.public_key())


def sign(key: Key, data: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def rs1_key() -> CoseKey:
    return cose_of(rsa.generate_private_key(65537, 2048), RS1)


def with_prf(credential: dict[str, Any], secret: bytes) -> dict[str, Any]:
    """What a careless client posts: the passkey's secret with the rest."""
    results = {"prf": {"enabled": True, "results": {"first": b64(secret)}}}
    return credential | {"clientExtensionResults": results}


def altered(credential: dict[str, Any], **response: Any) -> dict[str, Any]:
    """The credential with other parts of its response."""
    return credential | {"response": credential["response"] | response}


def _client_data(kind: str, challenge: bytes, origin: str, twist: Twist) -> bytes:
    return bytes(
        CollectedClientData.create(
            twist.type or kind,
            twist.challenge or challenge,
            twist.origin or origin,
            **twist.client_data,
        )
    )
