"""What a person types: recovery codes and passphrases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xkcdpass import xkcd_password

from restante.crypto import errors, passphrase, recovery

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODES = st.binary(min_size=20, max_size=20)


@given(code=CODES)
def test_read_after_write_is_the_same(code):
    text = recovery.write_code(code)
    assert [len(group) for group in text.split("-")] == [4] * 8 + [1]
    assert recovery.read_code(text) == code


@given(code=CODES, data=st.data())
def test_code_is_read_however_it_is_typed(code, data):
    text = recovery.write_code(code).replace("-", "")
    typed = ""
    for symbol in text:
        looks_like = {"0": "0oO", "1": "1iIlL"}.get(symbol, symbol + symbol.lower())
        typed += data.draw(st.sampled_from(looks_like)) + data.draw(
            st.sampled_from(["", "-", " ", "\t", "- "])
        )
    assert recovery.read_code(typed) == code


def test_every_wrong_symbol_and_every_swap_of_neighbours_is_noticed():
    text = recovery.write_code(bytes(range(100, 120))).replace("-", "")
    tried = 0
    for place in range(32):
        for symbol in set(SYMBOLS) - {text[place]}:
            tried += 1
            with pytest.raises(errors.RecoveryCodeTypo):
                recovery.read_code(text[:place] + symbol + text[place + 1 :])
    for place in range(31):
        one, two = text[place : place + 2]
        if one != two:
            tried += 1
            with pytest.raises(errors.RecoveryCodeTypo):
                recovery.read_code(text[:place] + two + one + text[place + 2 :])
    assert tried > 1000


def test_new_codes_are_twenty_fresh_bytes():
    codes = {recovery.new_code() for _ in range(50)}
    assert len(codes) == 50
    assert {len(code) for code in codes} == {20}


def test_made_passphrase_is_six_words_of_the_long_list():
    with open(xkcd_password.locate_wordfile("eff-long")) as file:  # noqa: PTH123 - a path as text
        known = {line.strip() for line in file}
    assert len(known) == 7776
    made = {passphrase.generate() for _ in range(20)}
    assert len(made) == 20
    for text in made:
        assert len(text.split(" ")) == 6
        assert set(text.split(" ")) <= known
        passphrase.check_chosen(text, name="ann")


@pytest.mark.parametrize("text", ["", "short", "eleven char", "  eleven char  ", "eleven\u3000char"])
def test_chosen_passphrase_below_twelve_characters_is_refused(text):
    with pytest.raises(errors.PassphraseTooShort):
        passphrase.check_chosen(text, name="ann")


@pytest.mark.parametrize(
    "text", ["aaaaaaaaaaaaaaaa", "abababababab", "123451234512345", "ann-the-baker", "AnnAnnAnnthebest"]
)
def test_chosen_passphrase_that_is_easily_guessed_is_refused(text):
    with pytest.raises(errors.PassphraseTooSimple):
        passphrase.check_chosen(text, name="ann")


@pytest.mark.parametrize("text", ["twelve chars", "größer als zwölf", "Ann likes long walks"])
def test_chosen_passphrase_of_twelve_is_taken(text):
    passphrase.check_chosen(text, name="ann")


def test_composed_and_decomposed_letters_unlock_alike():
    salt = bytes(range(16))
    one = passphrase.passphrase_access("Cafe\u0301 cre\u0300me bru\u0302le\u0301e", salt=salt)
    other = passphrase.passphrase_access("Café crème  brûlée ", salt=salt)
    assert one == other
    assert one != passphrase.passphrase_access("Café crème brulee", salt=salt)


@pytest.mark.parametrize("size", [0, 8, 15, 17, 32])
def test_server_cannot_choose_another_salt_size(size):
    with pytest.raises(errors.SaltMalformed):
        passphrase.passphrase_access("correct horse battery", salt=bytes(size))
