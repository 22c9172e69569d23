"""The server's own certificate authority, which can vouch for machines of a local network and for nothing else.

[Note: A tame authority] Whoever installs a certificate authority believes whatever it signs. So this one carries name constraints
(RFC 5280 section 4.2.1.10): names of local networks, private addresses, and what the operator named when it was made. A thief
of its key cannot pretend to be a bank. Devices ask for at most 825 days of a server's certificate; it gets 397.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from restante.server.certs.machine import Address

CA_FOR = timedelta(days=3650)
LEAF_FOR = timedelta(days=397)
RENEW_BEFORE = timedelta(days=60)
LOCAL_NAMES = ("localhost", "local", "home.arpa", "lan", "internal")
LOCAL_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)
_BACK = timedelta(minutes=5)
"""Clocks of telephones may be a little late."""
_USES = {
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "encipher_only": False,
    "decipher_only": False,
}

Network = IPv4Network | IPv6Network


class NotVouched(ValueError):
    """The authority may not sign this name; the text says which."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a server's certificate is for."""

    names: tuple[str, ...]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def read_pair(certificate: bytes, key: bytes) -> Pair:
    """Reads what was written as PEM. Raises ValueError when it is damaged or does not belong together."""
    found = load_pem_private_key(key, password=None)
    pair = x509.load_pem_x509_certificates(certificate)[0]
    if not isinstance(found, ec.EllipticCurvePrivateKey) or pair.public_key() != found.public_key():
        raise ValueError("the key is not the certificate's")
    return Pair(pair, found)


def make_authority(label: str, names: Names, now: datetime) -> Pair:
    """Makes one that may vouch for local names and private addresses, and beyond these for ``names``."""
    key = ec.generate_private_key(ec.SECP256R1())
    whose = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"Restante at {label}"[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Restante, this house only"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACK)
        .not_valid_after(now + CA_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **_USES), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.NameConstraints(_permitted(names), excluded_subtrees=None), critical=True)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Pair, names: Names, now: datetime) -> Pair:
    """Signs a server's certificate. Raises NotVouched for a name beyond what the authority was made for."""
    for name in (*names.names, *names.addresses):
        if not _may(authority.certificate, name):
            raise NotVouched(str(name))
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names.names]
    alternatives += [x509.IPAddress(address) for address in names.addresses]
    signer = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Restante")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACK)
        .not_valid_after(min(now + LEAF_FOR, authority.certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, **_USES), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False)
    )
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def is_good(leaf: x509.Certificate, authority: x509.Certificate, names: Names, now: datetime) -> bool:
    """Tells whether a server's certificate is by this authority, for these names, and for some time yet."""
    try:
        leaf.verify_directly_issued_by(authority)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, another is made
        return False
    has = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    is_named = set(names.names) <= set(has.get_values_for_type(x509.DNSName))
    is_addressed = set(names.addresses) <= set(has.get_values_for_type(x509.IPAddress))
    return is_named and is_addressed and now + RENEW_BEFORE < leaf.not_valid_after_utc


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 as devices show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _permitted(names: Names) -> list[x509.GeneralName]:
    dns = dict.fromkeys((*LOCAL_NAMES, *names.names))
    networks: list[Network] = [ip_network(text) for text in LOCAL_NETWORKS]
    beyond = [
        ip_network(address)
        for address in names.addresses
        if not any(address in network for network in networks)
    ]
    return [*map(x509.DNSName, dns), *map(x509.IPAddress, [*networks, *beyond])]


def _may(authority: x509.Certificate, name: str | Address) -> bool:
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    if isinstance(name, str):
        trees = [limit.value for limit in limits if isinstance(limit, x509.DNSName)]
        return any(name == tree or name.endswith(f".{tree}") for tree in trees)
    address = ip_address(name)
    return any(
        address in limit.value
        for limit in limits
        if isinstance(limit, x509.IPAddress) and isinstance(limit.value, IPv4Network | IPv6Network)
    )
