"""Certificates on the disk: those of the server's own authority in the data folder, or files that the operator names."""

import os
import secrets
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from restante.server.certs import authority, machine
from restante.server.certs.authority import Names, NotVouched, Pair
from restante.server.config import Settings

FOLDER = "tls"


class BadCertificate(RuntimeError):
    """The server cannot show its certificate; the text says why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the server shows to browsers: files of its certificate, with the chain, and of its key."""

    certificate: Path
    key: Path


def shown(settings: Settings, now: datetime | None = None) -> Shown | None:
    """The certificate of the settings, made or renewed when it is the server's own; None for plain HTTP. Raises BadCertificate."""
    if settings.tls == "off":
        return None
    if settings.tls == "files":
        return _given(Path(settings.tls_cert), Path(settings.tls_key))
    try:
        return _own(settings, now or datetime.now(UTC))
    except OSError as error:
        raise BadCertificate(f"{error.filename or settings.data}: {error.strerror}") from error


def root(settings: Settings) -> x509.Certificate:
    """The authority's own certificate, as the first start made it."""
    return x509.load_pem_x509_certificate((settings.data / FOLDER / "ca.crt").read_bytes())


def expires_at(file: Path) -> datetime:
    """When the server's certificate in a file ends. Raises OSError, ValueError."""
    return x509.load_pem_x509_certificates(file.read_bytes())[0].not_valid_after_utc


def _own(settings: Settings, now: datetime) -> Shown:
    folder = settings.data / FOLDER
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    names = _names(settings)
    signer = _read(folder, "ca")
    if signer is None:
        label = settings.server_name or names.names[-1]
        signer = authority.make_authority(label, names, now)
        _write(folder / "ca.key", signer.key_pem)
        _write(folder / "ca.crt", signer.pem)
    files = Shown(folder / "server.crt", folder / "server.key")
    leaf = _leaf(folder)
    if leaf is None or not authority.is_good(leaf.certificate, signer.certificate, names, now):
        try:
            leaf = authority.issue(signer, names, now)
        except NotVouched as error:
            raise BadCertificate(
                f"the authority in {folder} was made for other names and may not vouch for {error}"
            ) from error
        _write(files.key, leaf.key_pem)
        _write(files.certificate, leaf.pem + signer.pem)
    return files


def _names(settings: Settings) -> Names:
    names = list(machine.host_names())
    addresses = [*machine.LOOPBACK, *machine.addresses()]
    for text in settings.tls_names:
        try:
            addresses.append(ip_address(text))
        except ValueError:
            names.append(text)
    return Names(tuple(dict.fromkeys(names)), tuple(dict.fromkeys(addresses)))


def _read(folder: Path, name: str) -> Pair | None:
    """A pair that was written; one that is half there or damaged is not made anew: telephones know it."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    if not certificate.exists():
        return None
    try:
        return authority.read_pair(certificate.read_bytes(), key.read_bytes())
    except (OSError, ValueError) as error:
        raise BadCertificate(f"{certificate} or its key is damaged: bring both back from a backup") from error


def _leaf(folder: Path) -> Pair | None:
    try:
        return _read(folder, "server")
    except BadCertificate:
        return None


def _given(certificate: Path, key: Path) -> Shown:
    """Looks whether the operator's files are there, belong together and have not ended."""
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise BadCertificate(f"{path}: {error.strerror}") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
        ends_at = expires_at(certificate)
    except (ssl.SSLError, ValueError) as error:
        raise BadCertificate(f"{certificate} and {key} are no certificate and its key, both PEM") from error
    if ends_at < datetime.now(UTC):
        raise BadCertificate(f"{certificate} ended on {ends_at:%Y-%m-%d}")
    return Shown(certificate, key)


def _write(path: Path, data: bytes) -> None:
    """On the disk before it is used, readable by its owner only."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
