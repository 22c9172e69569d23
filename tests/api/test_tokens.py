"""What the token of a session tells: the server's nodes which account it is for, and nobody else anything."""

import random
import secrets
from collections import Counter

import pytest

from restante.server.sessions.tokens import TOKEN_BYTES, account_in, new_token

KEY = secrets.token_bytes(32)
ACCOUNTS = [1, 2, 255, 256, 1_000_003, 2**40 - 1]


@pytest.fixture
def chance() -> random.Random:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.mark.parametrize("account_id", ACCOUNTS)
def test_a_token_tells_its_account_to_whoever_has_the_key(account_id: int):
    token = new_token(account_id, key=KEY)
    assert len(token) == TOKEN_BYTES
    assert account_in(token, key=KEY) == account_id
    assert account_in(token, key=secrets.token_bytes(32)) is None


def test_ten_thousand_tokens_made_before_name_no_account(chance: random.Random):
    named = [account_in(chance.randbytes(TOKEN_BYTES), key=b"k" * 32) for _ in range(10_000)]
    assert sum(number is not None for number in named) <= 1  # two are met once in some million runs


def test_a_token_that_was_tampered_with_names_another_account_or_none():
    token = new_token(7, key=KEY)
    for bit in range(8 * TOKEN_BYTES):
        changed = (int.from_bytes(token) ^ 1 << bit).to_bytes(TOKEN_BYTES)
        assert account_in(changed, key=KEY) != 7


def test_no_two_tokens_are_alike():
    tokens = [new_token(7, key=KEY) for _ in range(10_000)]
    assert len({token[:8] for token in tokens}) == len({token[8:] for token in tokens}) == len(tokens)


def test_a_token_does_not_show_its_account(chance: random.Random):
    """Where numbers stood in the open, seven of the first eight bytes were zero; here each bit is set half of the time."""
    tokens = [new_token(7, key=b"k" * 32, random=chance.randbytes) for _ in range(10_000)]
    numbers = [int.from_bytes(token[:8]) for token in tokens]
    for bit in range(64):
        assert 4_500 < sum(number >> bit & 1 for number in numbers) < 5_500
    assert Counter(number & 0xFF for number in numbers)[7] < 100


def test_what_hides_it_comes_from_the_rest_and_from_nothing_else():
    def same(count: int) -> bytes:
        return b"r" * count

    one, other = (int.from_bytes(new_token(each, key=KEY, random=same)) for each in (5, 6))
    assert one ^ other == (5 ^ 6) << 8 * 24


def test_a_number_larger_than_any_makes_a_token_that_is_found_by_its_hash():
    assert account_in(new_token(2**40, key=KEY), key=KEY) is None
