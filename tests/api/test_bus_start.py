"""A bus is looked at before a server starts: each thing that is missing has its sentence."""

import datetime as dt
import ipaddress
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from restante.server.bus import shared
from restante.server.bus.nats import Address, NatsWire
from restante.server.bus.shared import UnusableBus, check
from restante.server.config import BadSettings, from_environment
from tests.databases import cluster
from tests.nats_server import NatsServer
from tests.serving import Server, ServerDied


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats")) as running:
        yield running


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that an unprivileged user reads."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def refused(address: str, subject: str = "tests.start") -> str:
    with pytest.raises(UnusableBus) as error:
        check(NatsWire(Address.parse(address), subject))
    return str(error.value)


def test_a_bus_that_is_not_there_is_named():
    said = refused("nats://user:secret@127.0.0.1:1")
    assert said == "NATS at 127.0.0.1:1 does not let the server in: nobody answers"


def test_a_wrong_password_and_missing_rights_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shared, "CHECK_WITHIN_S", 0.5)
    users = """authorization { users = [
      { user: ann, password: good }
      { user: deaf, password: good, permissions: { publish: ">", subscribe: { deny: ">" } } }
      { user: dumb, password: good, permissions: { publish: { deny: ">" }, subscribe: ">" } } ] }"""
    with NatsServer(tmp_path, users) as nats:
        place = f"127.0.0.1:{nats.port}"
        check(NatsWire(Address.parse(f"nats://ann:good@{place}"), "tests.start"))
        said = refused(f"nats://ann:bad@{place}")
        assert said.startswith(f"NATS at {place} does not let the server in: ")
        assert (
            "Authorization Violation" in said or "a wrong user or password" in said
        )  # it may hang up before it says so
        for user in ("deaf", "dumb"):
            assert "the user must be allowed to publish and subscribe" in refused(
                f"nats://{user}:good@{place}"
            )


def test_tls_is_used_and_never_done_without(tmp_path: Path, open_to_all: Path, nats: NatsServer):
    ca, cert, key = _certificate(open_to_all)
    with NatsServer(tmp_path, f'tls {{ cert_file: "{cert}", key_file: "{key}" }}') as private:
        place = f"127.0.0.1:{private.port}"
        check(NatsWire(Address.parse(f"tls://{place}?ca={ca}"), "tests.start"))
        assert "CERTIFICATE_VERIFY_FAILED" in refused(f"tls://{place}")
    assert "it offers no TLS" in refused(f"tls://ann:secret@127.0.0.1:{nats.port}?ca={ca}")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"RESTANTE_BUS_URL": "nats://127.0.0.1"}, "RESTANTE_BUS_URL needs RESTANTE_DATABASE_URL"),
        (
            {"RESTANTE_BUS_URL": "redis://127.0.0.1", "RESTANTE_DATABASE_URL": "postgresql://h/n"},
            "RESTANTE_BUS_URL is no address such as nats://",
        ),
    ],
)
def test_a_malformed_setting_is_named(env: dict[str, str], said: str):
    with pytest.raises(BadSettings, match=said):
        from_environment(env)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nats://h:1/path", "is no address such as"),
        ("nats://h:1?ca=x", "names files of certificates"),
        ("tls://h:1?pool=x", "has pool"),
    ],
)
def test_an_address_with_more_than_there_is_gets_refused(address: str, said: str):
    with pytest.raises(ValueError, match=said):
        Address.parse(address)


def test_an_address_names_several_servers_and_keeps_its_secret():
    address = Address.parse("tls://ann:p%40ss@one:4222,two:4222?ca=/ca.pem")
    assert address.servers == ("nats://one:4222", "nats://two:4222")
    assert (address.user, address.password, address.is_private, address.ca) == (
        "ann",
        "p@ss",
        True,
        "/ca.pem",
    )
    assert "p@ss" not in repr(address)


def _certificate(folder: Path) -> tuple[Path, Path, Path]:
    """A certificate for loopback that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, cert, secret


def test_a_server_does_not_start_without_its_bus(tmp_path: Path):
    cluster().lay("bus_start")
    env = {"RESTANTE_DATABASE_URL": cluster().url("bus_start"), "RESTANTE_BUS_URL": "nats://127.0.0.1:1"}
    with pytest.raises(ServerDied) as died:
        Server(tmp_path / "data", env).start()
    assert "error: NATS at 127.0.0.1:1 does not let the server in: nobody answers\nhint: " in str(died.value)
