"""What an answering page says is read by those who have its link, and by nobody who changed or moved it."""

import pytest

from restante.crypto.errors import PageDamaged, WrongSigner
from restante.crypto.kdf import greeting_access
from restante.crypto.profile import Profile, open_profile, seal_profile
from restante.protocol.limits import PROFILE_BYTES
from restante.signing.keys import SigningKey

G = bytes(range(16))
IDENTITY = greeting_access(G).identity
ANN = SigningKey.generate()
PROFILE = Profile(acct="ann@post.example", created=1, greeting="msg_" + "a" * 26, note="Back on Monday ✉")
SEALED = seal_profile(PROFILE, IDENTITY, ANN)


def test_what_was_sealed_is_opened():
    assert open_profile(SEALED, IDENTITY, acct=PROFILE.acct, keys={ANN.public}) == PROFILE


def test_another_link_or_a_changed_byte_opens_nothing():
    with pytest.raises(PageDamaged):
        open_profile(SEALED, greeting_access(bytes(16)).identity, acct=PROFILE.acct, keys={ANN.public})
    for at in (40, len(SEALED) // 2, len(SEALED) - 1):
        changed = SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :]
        with pytest.raises(PageDamaged):
            open_profile(changed, IDENTITY, acct=PROFILE.acct, keys={ANN.public})
    with pytest.raises(PageDamaged):
        open_profile(bytes(PROFILE_BYTES + 1), IDENTITY, acct=PROFILE.acct, keys={ANN.public})


def test_it_is_signed_by_its_owner_and_about_them():
    for acct, keys in ((PROFILE.acct, {SigningKey.generate().public}), ("eve@post.example", {ANN.public})):
        with pytest.raises(WrongSigner):
            open_profile(SEALED, IDENTITY, acct=acct, keys=keys)


def test_the_longest_note_fits():
    long = Profile(acct=PROFILE.acct, created=1, note="✉" * 1000)
    sealed = seal_profile(long, IDENTITY, ANN)
    assert len(sealed) <= PROFILE_BYTES
    assert open_profile(sealed, IDENTITY, acct=PROFILE.acct, keys={ANN.public}) == long
