"""Thousands of spoiled inputs, and the web client's code answers each as the Python library does."""

import json
import random

import pytest

from restante.crypto import age
from restante.protocol import ijson
from restante.signing import container
from restante.signing.errors import ProtocolError
from restante.signing.keys import SigningKey, verify
from tests.protocol.interop.web_client import WebClient

ROUNDS = 2000
PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
FAULTS = [
    (age.NoMatch, "no-match"),
    (age.Truncated, "truncated"),
    (age.PayloadError, "payload"),
    (age.HeaderError, "header"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    client = WebClient(tmp_path_factory.mktemp("peer"))
    yield client.as_("anybody")
    client.close()


@pytest.fixture
def draw():
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


def spoiled(draw, data, *, pieces):
    """One to three small changes: a flipped bit, a cut, a piece put in, taken out, or doubled."""
    data = bytearray(data)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(5):
            case 0 if data:
                data[at % len(data)] ^= 1 << draw.randrange(8)
            case 1:
                del data[at:]
            case 2:
                data[at:at] = draw.choice(pieces)
            case 3:
                del data[at : at + draw.randint(1, 8)]
            case _:
                data[at:at] = data[at : at + draw.randint(1, 40)]
    return bytes(data)


def code_of(run):
    try:
        run()
    except ProtocolError as error:
        return error.code
    return None


def test_json_is_read_alike(browser, draw):
    document = json.dumps(
        {"a": [1, -2.5e3, True, None, {"é": "\U0001f600\\u0041"}], "b": "x", "c": 2**53 - 1}
    ).encode()
    pieces = [
        b'"',
        b"{",
        b"[",
        b",",
        b":",
        b"\\u0000",
        b"\\ud800",
        b"9" * 20,
        b"-0",
        b"1e999",
        b"\xef\xbb\xbf",
        b"\xff",
        b'"a":1,',
        b" \n",
    ]
    documents = [document, *(spoiled(draw, document, pieces=pieces) for _ in range(ROUNDS))]
    found = [read and json.loads(read) for read in browser.readAllJson(documents)]
    expected = [read_json(data) for data in documents]
    assert [pair for pair in zip(documents, expected, found, strict=True) if pair[1] != pair[2]] == []
    assert sum(value is None for value in expected) > ROUNDS / 4
    assert sum(value is not None for value in expected) > ROUNDS / 100


def read_json(data):
    try:
        return without_fractions(ijson.loads(data))
    except ijson.BadJson:
        return None


def without_fractions(value):
    if isinstance(value, float):
        return "fraction"
    if isinstance(value, list):
        return [without_fractions(item) for item in value]
    if isinstance(value, dict):
        return {key: without_fractions(item) for key, item in value.items()}
    return value


def test_signatures_are_judged_alike(browser, draw):
    key = SigningKey(bytes(range(32)))
    cases = [(key.public, key.sign(b"m"), b"m")]
    ends = [0, 1, 2, PRIME - 1, PRIME, PRIME + 1, ORDER, 2**255 - 1, 2**255, 2**255 + 1, 2**256 - 1]
    special = [number.to_bytes(32, "little") for number in ends]
    for _ in range(300):
        public, signature = bytearray(key.public), bytearray(key.sign(b"m"))
        match draw.randrange(5):
            case 0:
                public[draw.randrange(32)] ^= 1 << draw.randrange(8)
            case 1:
                signature[draw.randrange(64)] ^= 1 << draw.randrange(8)
            case 2:
                signature[:32] = draw.choice(special)
            case 3:
                signature[32:] = draw.choice(special)
            case _:
                public[:] = draw.choice(special)
                signature[:32] = draw.choice([*special, public])
                signature[32:] = draw.choice([bytes(32), *special])
        cases.append((bytes(public), bytes(signature), b"m"))
    expected = [code_of(lambda case=case: verify(case[0], case[1], case[2])) for case in cases]
    found = browser.verifyAll(cases)
    assert [pair for pair in zip(cases, expected, found, strict=True) if pair[1] != pair[2]] == []
    assert {None, "signature-bad", "signing-key-bad"} == set(expected)


def test_containers_are_judged_alike(browser, draw):
    key = SigningKey(bytes(range(32)))
    boxes = [container.write(kind, {"a": 1}, key=signer) for kind in container.Type for signer in (key, None)]
    pieces = [b"\n", b"-", b"=", b" ", b"restante/1 ", b"restante/2 envelope\n", b"\r\n"]
    data = [*boxes, *(spoiled(draw, draw.choice(boxes[:4]), pieces=pieces) for _ in range(ROUNDS))]
    envelope = container.Type.ENVELOPE
    expected = [code_of(lambda box=box: container.read(box, envelope, limit=65_536)) for box in data]
    found = browser.readAllContainers(data)
    assert [pair for pair in zip(data, expected, found, strict=True) if pair[1] != pair[2]] == []
    assert len(set(expected)) > 5


@pytest.mark.parametrize("kind", ["x25519", "hybrid"])
def test_age_files_are_judged_alike(browser, draw, kind):
    make = age.X25519Identity.generate if kind == "x25519" else age.HybridIdentity.generate
    mine, other = make(), make()
    file = age.seal(b"a plaintext", mine.recipient())
    two = age.seal(b"", other.recipient(), mine.recipient())
    pieces = [b"\n", b" ", b"-> X25519 abc\n", b"-> grease\n\n", b"---", b"=", b"\r", b"A"]
    rounds = 400 if kind == "hybrid" else ROUNDS
    files = [file, two, *(spoiled(draw, draw.choice([file, two]), pieces=pieces) for _ in range(rounds))]
    expected = [opened(data, mine) for data in files]
    found = browser.unsealAll(files, [str(mine)])
    differing = [pair for pair in zip(files, expected, found, strict=True) if pair[1] != pair[2]]
    assert differing == []
    assert len({value for value in expected if isinstance(value, str)}) >= 3


def opened(data, identity):
    try:
        return age.unseal(data, identity)
    except age.AgeError as error:
        return next(fault for kind, fault in FAULTS if isinstance(error, kind))
