"""Sizes and turns: laws of the arithmetic, and the eight turns against ffmpeg's own."""

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.media.geometry import Size, Turn, fitted, inside, shown, turn_of

sizes = st.builds(Size, st.integers(2, 8192), st.integers(2, 8192))


@given(sizes)
def test_fitted_is_even_in_the_box_and_never_larger(size):
    result = fitted(size)
    assert result.width % 2 == result.height % 2 == 0
    assert 2 <= min(result.width, result.height) <= 720
    assert max(result.width, result.height) <= 1280
    assert result.width <= max(2, size.width)
    assert result.height <= max(2, size.height)


@given(sizes)
def test_fitted_keeps_the_shape(size):
    result = fitted(size)
    scale = result.width / size.width
    assert abs(result.height - size.height * scale) <= 2 + 2 * size.height / size.width


@given(sizes)
def test_upright_and_flat_are_treated_alike(size):
    assert fitted(size.swapped) == fitted(size).swapped


@given(sizes, sizes)
def test_inside_fits(size, frame):
    frame = fitted(frame)
    result = inside(size, frame)
    assert result.width <= frame.width
    assert result.height <= frame.height
    assert result.width % 2 == result.height % 2 == 0
    assert result.width >= frame.width - 1 or result.height >= frame.height - 1


@given(sizes, st.fractions(Fraction(1, 4), 4))
def test_square_pixels_never_lose_lines(size, aspect):
    result = shown(size, pixel_aspect=aspect, turn=Turn())
    assert result.width >= size.width
    assert result.height >= size.height
    assert abs(result.width / result.height / (size.width / size.height * aspect) - 1) < 0.3


@pytest.mark.parametrize(
    ("signs", "steps"),
    [
        ((1, 0, 0, 1), []),
        ((0, 1, -1, 0), ["transpose=clock"]),
        ((-1, 0, 0, -1), ["hflip", "vflip"]),
        ((0, -1, 1, 0), ["transpose=cclock"]),
        ((-1, 0, 0, 1), ["hflip"]),
        ((1, 0, 0, -1), ["vflip"]),
        ((0, 1, 1, 0), ["transpose=cclock_flip"]),
        ((0, -1, -1, 0), ["transpose=clock_flip"]),
        ((0, 0, 0, 0), []),
    ],
)
def test_matrix_names_its_turn(signs, steps):
    a, b, c, d = (sign * 65536 for sign in signs)
    turn = turn_of(struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))
    assert ["=".join(filter(None, step)) for step in turn.steps] == steps
    assert turn.swaps == any("transpose" in step for step in steps)


@pytest.mark.parametrize("matrix", [None, b"", bytes(35)])
def test_no_matrix_is_no_turn(matrix):
    assert turn_of(matrix) == Turn()
