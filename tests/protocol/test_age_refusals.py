"""What an age file or key must not be, and that each refusal has its own name."""

import base64
import copy
import hmac
import pickle
import secrets
import tracemalloc

import pytest

from restante.crypto.age import (
    AgeError,
    BadKey,
    BadMac,
    HeaderError,
    HybridIdentity,
    HybridRecipient,
    NoMatch,
    PayloadError,
    Sealer,
    Truncated,
    Unsealer,
    X25519Identity,
    X25519Recipient,
    parse_identity,
    parse_recipient,
    seal,
    sealed_size,
    unseal,
)
from restante.crypto.age.header import derive, write_header
from restante.crypto.age.payload import ChunkCipher

CHUNK = 65_536
SEALED = CHUNK + 16
KINDS = [X25519Identity, HybridIdentity]
LOW_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    *((2**255 - 19 + more).to_bytes(32, "little") for more in (-1, 0, 1)),
]
"""The points of order 1, 2, 4 and 8, with the other spellings of those that have two."""


def header_end(data):
    return data.index(b"\n--- ") + 49


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def identity(request):
    return request.param.generate()


def test_every_bit_flip_of_an_envelope_is_refused(identity):
    data = seal(b"restante/1 envelope\n-\n-\n{}", identity.recipient())
    refusals = set()
    for place in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(AgeError) as caught:
            unseal(bytes(flipped), identity)
        refusals.add(caught.type)
    assert refusals == {HeaderError, BadMac, NoMatch, Truncated}


def test_each_failure_has_its_own_name(identity):
    data = bytearray(seal(bytes(3 * CHUNK), identity.recipient()))
    end = header_end(data)

    def error(changed):
        with pytest.raises(AgeError) as caught:
            unseal(bytes(changed), identity)
        return caught.type

    def flipped(place):
        changed = bytearray(data)
        changed[place] ^= 1
        return changed

    with pytest.raises(NoMatch):
        unseal(bytes(data), type(identity).generate())
    assert error(flipped(0)) is HeaderError
    assert error(b"plain text") is HeaderError
    assert error(data.replace(b"\n--- ", b"\n-> x\n\n--- ", 1)) is BadMac
    assert error(flipped(end)) is PayloadError
    assert error(flipped(end + 16 + SEALED)) is PayloadError
    assert error(flipped(end + 16 + 2 * SEALED)) is PayloadError
    assert error(data + b"x") is PayloadError
    assert error(data[: end + 16 + SEALED]) is Truncated
    assert error(data[: end + 16]) is Truncated
    assert error(data[: end + 15]) is HeaderError
    assert error(data[: end - 1]) is HeaderError
    assert error(b"") is HeaderError


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])
def test_cut_at_every_chunk_border_and_beside_it_is_refused(size):
    identity = X25519Identity.generate()
    plaintext = bytes(range(256)) * (size // 256) + bytes(size % 256)
    data = seal(plaintext, identity.recipient())
    start = header_end(data) + 16
    assert unseal(data, identity) == plaintext
    borders = [*range(start, len(data), SEALED), len(data)]
    for cut in {border + near for border in borders for near in (-17, -16, -1, 0, 1)} - {len(data)}:
        if not start <= cut < len(data):
            continue
        unsealer = Unsealer(identity)
        released = unsealer.update(data[:cut])
        assert plaintext.startswith(released)
        assert len(released) == (cut - start) // SEALED * CHUNK
        with pytest.raises(Truncated):
            unsealer.finish()


def test_chunks_dropped_doubled_or_swapped_are_refused():
    identity = X25519Identity.generate()
    data = seal(bytes(4 * CHUNK), identity.recipient())
    start = header_end(data) + 16
    head, chunks = data[:start], [data[at : at + SEALED] for at in range(start, len(data), SEALED)]
    one, two, three, last = chunks
    for order in (
        [one, three, last],
        [two, three, last],
        [one, one, two, three, last],
        [two, one, three, last],
        [last],
    ):
        with pytest.raises(PayloadError):
            unseal(head + b"".join(order), identity)
    with pytest.raises(PayloadError):
        unseal(head + b"".join([one, two, three, last, last]), identity)


def test_error_waits_for_what_was_authentic_before_it_and_then_stays():
    identity = X25519Identity.generate()
    data = bytearray(seal(bytes(3 * CHUNK), identity.recipient()))
    data[-SEALED - 1] ^= 1
    unsealer = Unsealer(identity)
    assert unsealer.update(bytes(data)) == bytes(CHUNK)
    for _ in range(2):
        with pytest.raises(PayloadError):
            unsealer.update(b"")
        with pytest.raises(PayloadError):
            unsealer.finish()


def test_payload_and_stanza_of_another_file_are_refused(identity):
    one, two = (seal(b"text", identity.recipient()) for _ in range(2))
    with pytest.raises(Truncated):
        unseal(one[: header_end(one)] + two[header_end(two) :], identity)
    mac = one.index(b"\n--- ")
    with pytest.raises(BadMac):
        unseal(one[:mac] + two[two.index(b"\n--- ") :], identity)


def test_demanded_number_of_stanzas_is_kept():
    identities = [X25519Identity.generate() for _ in range(2)]
    one, two = (seal(b"x", *(each.recipient() for each in identities[:count])) for count in (1, 2))
    assert unseal(one, identities[0], stanzas=1) == b"x"
    assert unseal(two, identities[1], stanzas=2) == b"x"
    with pytest.raises(HeaderError):
        unseal(two, identities[0], stanzas=1)
    unsealer = Unsealer(identities[0])
    assert unsealer.stanza_count is None
    unsealer.update(two)
    assert unsealer.stanza_count == 2


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:8])
def test_low_order_points_neither_seal_nor_open(point):
    with pytest.raises(BadKey):
        X25519Recipient(point)
    hybrid = HybridIdentity.generate()
    with pytest.raises(BadKey):
        HybridRecipient(hybrid.recipient().key[:-32] + point)
    for identity, size in ((X25519Identity.generate(), 32), (hybrid, 1120)):
        data = seal(b"x", identity.recipient())
        share = data.split(b"\n")[1].split(b" ")[2]
        forged = base64.b64decode(share + b"=" * (-len(share) % 4))[: size - 32] + point
        with pytest.raises(HeaderError) as caught:
            unseal(data.replace(share, base64.b64encode(forged).rstrip(b"=")), identity)
        assert caught.type is HeaderError


def test_header_without_end_is_refused_before_it_fills_memory():
    unsealer = Unsealer(X25519Identity.generate())
    unsealer.update(b"age-encryption.org/v1\n-> grease x\n")
    with pytest.raises(HeaderError):
        for _ in range(1000):
            unsealer.update(b"A" * 64 + b"\n" + b"A" * 1000)
    endless = Unsealer(X25519Identity.generate())
    with pytest.raises(HeaderError):
        for _ in range(1000):
            endless.update(b"A" * 1024)


def test_header_is_refused_by_its_grammar_also_when_its_code_is_right(identity):
    """Only one who has the file key can write these, so no vector and no flip comes here."""

    def resigned(change):
        file_key, recipient = bytes(range(16)), identity.recipient()
        stanza = recipient.wrap(file_key, secrets.token_bytes)
        signed = change(write_header(file_key, [stanza]).partition(b"\n--- ")[0]) + b"\n---"
        code = hmac.digest(derive(file_key, info=b"header"), signed, "sha256")
        header = signed + b" " + base64.b64encode(code).rstrip(b"=") + b"\n"
        nonce = bytes(16)
        return header + nonce + ChunkCipher(file_key, nonce).seal_final(0, b"text")

    assert unseal(resigned(bytes), identity) == b"text"
    assert unseal(resigned(lambda head: head + b"\n-> grease\n" + b"A" * 64 + b"\nAAAA"), identity) == b"text"
    for change in (
        lambda head: head.replace(b"/v1\n", b"/v2\n"),
        lambda head: head.replace(b"\n", b"\r\n"),
        lambda head: head + b"\n-> grease\n" + b"A" * 68,
        lambda head: head + b"\n-> grease\n" + b"A" * 64,
        lambda head: head + b"\n-> grease  x\n",
        lambda head: head + b"\n-> \n",
        lambda head: head + b"\n",
        lambda head: head + b"\n-> grease\nAAB",
        lambda head: head.split(b"\n")[0],
    ):
        with pytest.raises(HeaderError) as caught:
            unseal(resigned(change), identity)
        assert caught.type is HeaderError


def test_many_stanzas_fit_and_too_many_are_refused_in_any_cut():
    identity = X25519Identity.generate()
    fits = seal(b"x", *[identity.recipient()] * 2_000)
    assert unseal(fits, X25519Identity.parse(str(identity))) == b"x"
    beyond = seal(b"x", *[identity.recipient()] * 3_000)
    for size in (len(beyond), 4_095, 65_536):
        unsealer = Unsealer(identity)
        with pytest.raises(HeaderError):
            for at in range(0, len(beyond), size):
                unsealer.update(beyond[at : at + size])


def test_recipients_of_two_kinds_or_none_are_refused():
    with pytest.raises(BadKey):
        seal(b"x", X25519Identity.generate().recipient(), HybridIdentity.generate().recipient())
    with pytest.raises(BadKey):
        seal(b"x")


def test_sealer_is_neither_copied_nor_stored_nor_continued():
    sealer = Sealer(X25519Identity.generate().recipient())
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(sealer)
    sealer.finish()
    for call in (lambda: sealer.update(b"x"), sealer.finish):
        with pytest.raises(RuntimeError):
            call()


def test_memory_stays_bounded_while_streaming():
    identity, piece = X25519Identity.generate(), bytes(100_000)
    sealer, unsealer, opened = Sealer(identity.recipient()), Unsealer(identity), 0
    tracemalloc.start()
    for _ in range(400):
        opened += len(unsealer.update(sealer.update(piece)))
    opened += len(unsealer.update(sealer.finish()) + unsealer.finish())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert opened == 400 * len(piece)
    assert peak < 2 * 2**20


def test_secret_is_shown_by_str_only(identity):
    secret = str(identity)
    assert secret.startswith("AGE-SECRET-KEY-")
    shown = f"{identity!r} {[identity]} {identity.recipient()!r}".upper()
    assert secret not in shown
    assert "AGE-SECRET-KEY" not in shown
    for spoiled in (secret[:-1], secret.lower(), secret[:-1] + ("Q" if secret[-1] != "Q" else "P")):
        with pytest.raises(BadKey) as caught:
            parse_identity(spoiled)
        assert secret[20:40].lower() not in str(caught.value).lower()


def test_keys_have_one_spelling(identity):
    recipient = str(identity.recipient())
    assert parse_identity(str(identity)) == identity
    assert parse_recipient(recipient) == identity.recipient()
    for read, text in ((parse_identity, str(identity)), (parse_recipient, recipient)):
        for place in range(len(text)):
            with pytest.raises(BadKey):
                read(text[:place] + ("q" if text[place] != "q" else "p") + text[place + 1 :])
        for other in ("", text + " ", "\n" + text, text.swapcase(), text + "é", text[:-6], text * 2):
            with pytest.raises(BadKey):
                read(other)


def test_keys_with_a_right_check_sum_over_bits_beyond_the_last_byte_are_refused():
    for read, text in (
        (parse_recipient, "age1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5z5tpwxqergd3c8g7ruspxc8t5c"),
        (parse_identity, "AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSP4H53YT"),
    ):
        with pytest.raises(BadKey):
            read(text)


def test_keys_of_the_wrong_kind_or_size_are_refused():
    x25519, hybrid = X25519Identity.generate(), HybridIdentity.generate()
    for read, text in (
        (X25519Identity.parse, str(hybrid)),
        (HybridIdentity.parse, str(x25519)),
        (X25519Recipient.parse, str(hybrid.recipient())),
        (HybridRecipient.parse, str(x25519.recipient())),
    ):
        with pytest.raises(BadKey):
            read(text)
    for make in (X25519Identity, HybridIdentity, X25519Recipient, HybridRecipient):
        with pytest.raises(BadKey):
            make(bytes(31))
    with pytest.raises(BadKey):
        HybridRecipient(b"\xff" * 1184 + x25519.recipient().key)
    with pytest.raises(NoMatch):
        unseal(seal(b"x", x25519.recipient()), hybrid)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1])
def test_sealed_size_is_what_sealing_makes(size):
    data = seal(bytes(size), X25519Identity.generate().recipient())
    assert len(data) == header_end(data) + sealed_size(size)
