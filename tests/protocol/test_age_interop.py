"""Files made here open everywhere, files made elsewhere open here: Debian's age, pyrage, npm's age-encryption."""

import random

import pytest

from restante.crypto.age import parse_identity, parse_recipient
from tests.protocol.interop.peers import Program, Pyrage, Refused, Restante, Typage

SIZES = [0, 1, 65_535, 65_536, 65_537]
LARGE = 40 * 2**20
PEERS = [("age", "x25519"), ("pyrage", "x25519"), ("typage", "x25519"), ("typage", "hybrid")]
WAYS = [pair for peer, kind in PEERS for pair in (("restante", peer, kind), (peer, "restante", kind))]


@pytest.fixture(scope="module")
def tools():
    typage = Typage()
    yield {"restante": Restante(), "age": Program(), "pyrage": Pyrage(), "typage": typage}
    typage.close()


@pytest.fixture(scope="module")
def footage():
    return random.Random(40).randbytes(LARGE)


def carry(sealer, opener, kind, plaintext, folder):
    """Seals with one tool to keys of the other, opens there, and gives the file back with what was read."""
    clear, sealed, opened = folder / "clear", folder / "sealed", folder / "opened"
    clear.write_bytes(plaintext)
    identity, recipient = opener.keys(kind)
    sealer.seal([recipient], clear, sealed)
    opener.open(identity, sealed, opened)
    return identity, sealed, opened


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_file_of_one_tool_opens_in_another(tools, tmp_path, way, size):
    sealer, opener, kind = way
    plaintext = random.Random(size).randbytes(size)
    identity, sealed, opened = carry(tools[sealer], tools[opener], kind, plaintext, tmp_path)
    assert opened.read_bytes() == plaintext
    spoiled = bytearray(sealed.read_bytes())
    spoiled[-1] ^= 1
    sealed.write_bytes(spoiled)
    with pytest.raises(Refused):
        tools[opener].open(identity, sealed, tmp_path / "never")


@pytest.mark.parametrize(
    "way",
    [
        ("restante", "age", "x25519"),
        ("age", "restante", "x25519"),
        ("restante", "pyrage", "x25519"),
        ("restante", "typage", "hybrid"),
        ("typage", "restante", "hybrid"),
    ],
    ids="-".join,
)
def test_file_of_40_mib_opens_in_another(tools, tmp_path, footage, way):
    sealer, opener, kind = way
    _, _, opened = carry(tools[sealer], tools[opener], kind, footage, tmp_path)
    assert opened.read_bytes() == footage


@pytest.mark.parametrize(("tool", "kind"), PEERS)
def test_keys_of_a_peer_are_read_and_their_public_half_is_the_same(tools, tool, kind):
    identity, recipient = tools[tool].keys(kind)
    assert str(parse_identity(identity)) == identity
    assert str(parse_identity(identity).recipient()) == recipient
    assert str(parse_recipient(recipient)) == recipient


@pytest.mark.parametrize(
    ("sealer", "kind"), [("restante", "x25519"), ("restante", "hybrid"), ("typage", "x25519")]
)
def test_file_for_several_opens_for_each_of_them_and_nobody_else(tools, tmp_path, sealer, kind):
    openers = [tool for tool in tools if kind == "x25519" or tool in ("restante", "typage")]
    keys = {tool: tools[tool].keys(kind) for tool in openers}
    clear, sealed = tmp_path / "clear", tmp_path / "sealed"
    clear.write_bytes(b"to each of you")
    tools[sealer].seal([recipient for _, recipient in keys.values()], clear, sealed)
    for tool, (identity, _) in keys.items():
        tools[tool].open(identity, sealed, tmp_path / tool)
        assert (tmp_path / tool).read_bytes() == b"to each of you"
        with pytest.raises(Refused):
            tools[tool].open(tools[tool].keys(kind)[0], sealed, tmp_path / "never")
