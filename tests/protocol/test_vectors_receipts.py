"""Receipts and audit lines against protocol/vectors/receipts.json."""

import pytest

from restante.crypto.envelopes import EnvelopeFields, To
from restante.crypto.receipts import Receipt, check_receipt, write_receipt
from restante.protocol import audit
from restante.protocol.encoding import b64, unb64
from restante.signing.keys import SigningKey, fp
from tests.protocol import vector_files

GIVEN = vector_files.values("receipts.json")
ME = unb64(GIVEN["me"]["sign"])


def own_copy():
    message = GIVEN["message"]
    to = To(acct=GIVEN["me"]["acct"], fp=fp(ME))
    return EnvelopeFields(
        id=message["id"],
        kind="video",
        created=GIVEN["now"],
        to=to,
        from_=None,
        key="",
        details=message["details"],
        sent_to=tuple(message["sent_to"]),
    )


def check(raw):
    return check_receipt(
        raw,
        Receipt(GIVEN["kind"]),
        of=own_copy(),
        by=GIVEN["by"]["acct"],
        keys={unb64(GIVEN["by"]["sign"])},
        my_keys=[ME],
        now_ms=GIVEN["now"],
    )


@pytest.mark.parametrize("case", GIVEN["receipts"], ids=lambda case: case["name"])
def test_receipts(case):
    _, code = vector_files.outcome(lambda: check(unb64(case["raw"])))
    assert code == case["code"]


def test_what_is_written_is_accepted():
    key = SigningKey.generate()
    fields = own_copy()
    received = EnvelopeFields(
        id=fields.id, kind="video", created=1, to=To(), from_=fields.to, key="", details=fields.details
    )
    raw = write_receipt(
        Receipt.PLAYED, received, me=GIVEN["by"]["acct"], signer=ME, key=key, now_ms=GIVEN["now"]
    )
    assert len(raw) < 1024
    accepted = check_receipt(
        raw,
        Receipt.PLAYED,
        of=fields,
        by=GIVEN["by"]["acct"],
        keys={key.public},
        my_keys=[ME],
        now_ms=GIVEN["now"],
    )
    assert accepted.at == GIVEN["now"]


def test_audit_lines():
    texts = [one["line"] for one in GIVEN["audit"]]
    lines = audit.follow(texts, seq=0, head=audit.START)
    assert [audit.hash_of(text) for text in texts] == [one["sha256"] for one in GIVEN["audit"]]
    assert [audit.write(line) for line in lines] == texts
    assert lines[0].prev == b64(bytes(32))
