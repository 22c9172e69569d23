"""Which frames are shown: laws of the pace."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.media.pace import Pace, holds


def kept(times, rate=None):
    pace = Pace(rate)
    return [time for time in times if pace.keeps(time)]


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=300), st.none() | st.fractions(1, 240))
def test_never_more_than_thirty_a_second_for_long(steps_us, rate):
    times, now = [], Fraction(0)
    for step in steps_us:
        times.append(now)
        now += Fraction(step, 1_000_000)
    shown = kept(times, rate)
    assert shown[0] == 0
    assert len(shown) <= 30 * (times[-1] + Fraction(1, 10)) + 3


@given(st.integers(1, 30), st.lists(st.integers(-7_500, 7_500), min_size=10, max_size=200))
def test_jitter_around_an_allowed_rate_loses_nothing(rate, jitter_us):
    times = [Fraction(n, rate) + Fraction(us, 1_000_000) for n, us in enumerate(jitter_us)]
    assert kept(times, Fraction(rate)) == times


@pytest.mark.parametrize(
    ("rate", "shown"), [(25, 25), (30, 30), (48, 24), (50, 25), (60, 30), (120, 30), (240, 30)]
)
def test_fast_sources_are_thinned_evenly(rate, shown):
    times = kept([Fraction(n, rate) for n in range(rate)], Fraction(rate))
    assert times == [Fraction(n, shown) for n in range(shown)]


@given(st.fractions(0, 200), st.fractions(Fraction(1, 1000), 20))
def test_holds_cover_the_time_without_gap(start, span):
    pieces = holds(start, start + span)
    assert pieces[0][0] == start
    assert pieces[-1][1] == start + span
    assert all(0 < end - begin <= 1 for begin, end in pieces)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(pieces))
