"""Derivations, numbers and typed texts against protocol/vectors/values.json; and that the vectors are what is made."""

import subprocess
import sys

import pytest

from restante.crypto import kdf, padding, passphrase, recovery
from restante.crypto.age import HybridIdentity, X25519Identity
from restante.crypto.pairing import pairing_words
from restante.crypto.safety import safety_number
from restante.signing.keys import SigningKey, fp, verify
from tests.protocol import vector_files

VALUES = vector_files.values()


def test_vectors_are_what_the_independent_generator_makes():
    script = vector_files.FOLDER.parent / "generate.py"
    result = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_generator_shares_no_code_with_restante():
    sources = list(vector_files.FOLDER.parent.rglob("*.py"))
    assert len(sources) > 5
    assert not [
        path for path in sources if "import restante" in (text := path.read_text()) or "from restante" in text
    ]


@pytest.mark.parametrize("value", VALUES["kdf"], ids=lambda value: value["info"])
def test_kdf(value):
    assert kdf.kdf(bytes.fromhex(value["ikm"]), value["info"]).hex() == value["out"]


def shown(access):
    return {
        "identity": str(access.identity),
        "recipient": str(access.identity.recipient()),
        "bearer": access.bearer.hex(),
        "bearer_sha256": access.bearer_sha256.hex(),
    }


@pytest.mark.parametrize(
    ("name", "derive"),
    [("unlock", kdf.unlock_access), ("unlock_20_bytes", kdf.unlock_access), ("link", kdf.link_access)],
)
def test_ways_in(name, derive):
    value = VALUES[name]
    assert shown(derive(bytes.fromhex(value["secret"]))) == {
        key: value[key] for key in value if key != "secret"
    }


def test_greeting_access_comes_from_sixteen_bytes():
    assert shown(kdf.greeting_access(bytes(range(16)))).items() <= VALUES["greeting"].items()


def test_link_with_password():
    value = VALUES["link_with_password"]
    secret, salt = bytes.fromhex(value["secret"]), bytes.fromhex(value["salt"])
    assert kdf.link_salt(secret) == salt
    stretched = kdf.argon2id(value["password"].encode(), salt=salt)
    assert shown(kdf.link_access_with_password(secret, stretched)).items() <= value.items()
    assert value["bearer"] == VALUES["link"]["bearer"]
    assert value["identity"] != VALUES["link"]["identity"]


def test_argon2id():
    value = VALUES["argon2id"]
    assert value["out"] == "7305faebadc453c91558d7566069a56037063a9c13d29d3f275c56d904a9fb96"
    stretched = kdf.argon2id(value["passphrase"].encode(), salt=bytes.fromhex(value["salt"]))
    assert stretched.hex() == value["out"]
    access = passphrase.passphrase_access(" correct  horse ", salt=bytes.fromhex(value["salt"]))
    assert access == kdf.unlock_access(stretched)


@pytest.mark.parametrize("value", VALUES["passphrase"], ids=lambda value: ascii(value["typed"]))
def test_passphrase_forms(value):
    assert passphrase.normalise(value["typed"]) == value["stretched"]


def test_ed25519():
    value = VALUES["ed25519"]
    key = SigningKey(bytes.fromhex(value["seed"]))
    message, signature = bytes.fromhex(value["message"]), bytes.fromhex(value["signature"])
    assert key.public.hex() == value["public"]
    assert value["public"] == "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
    assert fp(key.public) == value["fp"]
    assert key.sign(message) == signature
    verify(key.public, signature, message)


def test_link_fingerprint_and_hybrid_key():
    assert kdf.link_fp(VALUES["link_fp"]["recipient"]) == VALUES["link_fp"]["fp"]
    assert X25519Identity.from_bytes(bytes(range(32))).recipient().__str__() == VALUES["link_fp"]["recipient"]
    hybrid = HybridIdentity.parse(VALUES["hybrid"]["identity"])
    assert str(hybrid.recipient()) == VALUES["hybrid"]["recipient"]


@pytest.mark.parametrize("value", VALUES["recovery_code"], ids=lambda value: repr(value["text"]))
def test_recovery_code(value):
    code, refused = vector_files.outcome(lambda: recovery.read_code(value["text"]))
    assert refused == (None if value["expect"] == "success" else value["expect"])
    if code is not None:
        assert code.hex() == value["hex"]


def test_recovery_code_is_written_as_the_first_vectors():
    for value in VALUES["recovery_code"][:4]:
        assert recovery.write_code(bytes.fromhex(value["hex"])) == value["text"]


@pytest.mark.parametrize("value", VALUES["safety_number"], ids=lambda value: value["number"][:11])
def test_safety_number(value):
    one, other = ((side["acct"], bytes.fromhex(side["sign"])) for side in value["accounts"])
    number = safety_number(one, other)
    assert (str(number), number.raw.hex(), number.code) == (value["number"], value["raw"], value["code"])


@pytest.mark.parametrize("value", VALUES["pairing_words"], ids=lambda value: value["words"][0])
def test_pairing_words(value):
    assert list(pairing_words(value["recipient"])) == value["words"]


def test_padme():
    assert {size: padding.padme(int(size)) for size in VALUES["padme"]} == VALUES["padme"]


@pytest.mark.parametrize("value", VALUES["padding"], ids=lambda value: str(value["size"]))
def test_padding(value):
    size = value["size"]
    live, file = (padding.padding_bytes(size, kind) for kind in (padding.Padding.LIVE, padding.Padding.FILE))
    assert (size + live, size + file) == (value["live"], value["file"])
    assert padding.video_size(size + max(live, file)) <= 2**26
