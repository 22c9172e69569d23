"""That docs/protocol/ speaks of the same things as the code and the vectors."""

import re
from pathlib import Path

import pytest

from restante.crypto import errors as crypto_errors
from restante.crypto.state import SEEN_IDS
from restante.protocol import limits
from restante.protocol.ids import Prefix
from restante.signing import errors as signing_errors
from restante.signing.container import Type
from restante.signing.successions import SUCCESSION_BYTES
from tests.protocol import vector_files

PAGES = Path(__file__).parents[2] / "docs" / "protocol"
TEXT = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
FAMILIES = (
    *("container", "record", "alias", "chain", "pin", "envelope", "forward", "details", "video"),
    *("keyring", "state", "groups", "profile"),
)


def codes(module):
    return {
        error.code
        for error in vars(module).values()
        if isinstance(error, type)
        and issubclass(error, signing_errors.ProtocolError)
        and error.__module__ == module.__name__
        and hasattr(error, "code")
    }


ALL_CODES = codes(crypto_errors) | codes(signing_errors)


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_cite_pages_and_sections_that_exist_and_expect_known_codes(family):
    for vector in vector_files.family(family):
        page, _, section = vector.text("spec").partition(", ")
        assert not section or re.search(rf"^## {re.escape(section)}$", TEXT[page], re.MULTILINE), vector.name
        assert vector.expect == "success" or vector.expect in ALL_CODES


def test_each_refusal_of_something_received_has_a_vector():
    vectors = [vector for family in FAMILIES for vector in vector_files.family(family)]
    expected = {vector.expect for vector in vectors}
    expected |= {value["expect"] for value in vector_files.values()["recovery_code"]}
    expected |= {case["code"] for case in vector_files.values("receipts.json")["receipts"]}
    sealing = {
        "video-too-large",
        "fingerprint-mismatch",
        "keyring-conflict",
        "passphrase-too-short",
        "passphrase-too-simple",
        "salt-malformed",
    }
    assert ALL_CODES - expected == sealing


def test_each_code_that_a_reader_may_meet_stands_in_the_text():
    text = "\n".join(TEXT.values())
    typed = {"recovery-code-malformed", "recovery-code-typo", "passphrase-too-short", "passphrase-too-simple"}
    assert {code for code in ALL_CODES if f"`{code}`" not in text} == typed | {"salt-malformed"}


def test_container_types_and_id_prefixes_are_those_of_the_text():
    section = TEXT["conventions.md"]
    listed = re.search(r"TYPE is `restante/1 ` and one of (.*?)\.", section, re.DOTALL)[1]
    assert [f"restante/1 {name}" for name in re.findall(r"`(\w+)`", listed)] == list(Type)
    assert {prefix.value for prefix in Prefix} <= set(re.findall(r"`(\w{3})`", section))


@pytest.mark.parametrize(
    "value",
    [
        limits.RECORDING_MS,
        limits.RECORDING_TOLERATED_MS,
        limits.UPLOAD_BYTES,
        limits.PART_BYTES,
        limits.PARTS,
        limits.DETAILS_BYTES,
        limits.POSTER_BYTES,
        limits.ENVELOPE_BYTES,
        limits.ENVELOPE_PLAINTEXT_BYTES,
        limits.RECIPIENTS,
        limits.KEYRING_BYTES,
        limits.SHARD_BYTES,
        limits.SHARDS,
        SEEN_IDS,
        limits.RECORD_BYTES,
        SUCCESSION_BYTES,
        limits.RECORD_VALID_FOR.days,
        limits.TOMBSTONE_FOR.days,
        limits.SESSION_UNUSED_FOR.days,
        limits.JSON_DEPTH,
        limits.JSON_INT,
        limits.REQUEST_TARGET_BYTES,
        limits.HEADERS_BYTES,
    ],
)
def test_limit_stands_in_the_table(value):
    assert re.search(rf"(?<![\d,]){value:,}(?![\d,]*\d)", TEXT["limits.md"])


def test_no_link_between_pages_is_dead():
    for name, text in TEXT.items():
        for target in re.findall(r"\]\((?!https:)([^)#]+)\)", text):
            assert (PAGES / target).exists(), f"{name}: {target}"
