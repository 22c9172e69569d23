"""The parsers behind tus and ranges, against arbitrary bytes: they decide or refuse, and never fault."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from restante.server.errors import Refusal
from restante.server.messages.download import Span, Unsatisfiable, is_known, wanted_span
from restante.server.uploads import rules

ETAG = b'"upl_x"'
header_bytes = st.binary(max_size=60)
digits = st.text(alphabet="0123456789", min_size=1, max_size=25).map(str.encode)


@given(value=header_bytes | digits)
@example(b"1_0")
@example(b" 10")
@example(b"10\n")
@example("１０".encode())  # noqa: RUF001 - digits that are not ASCII are the point
def test_numbers_are_one_to_eighteen_ascii_digits_and_nothing_else(value):
    plain = len(value) in range(1, 19) and all(48 <= byte <= 57 for byte in value)
    if plain:
        assert rules.number([(b"n", value)], b"n") == int(value)
    else:
        with pytest.raises(Refusal) as caught:
            rules.number([(b"n", value)], b"n")
        assert caught.value.entry.code == "bad-length"


def refused(decide: Callable[[], object]) -> str | None:
    """The code of the refusal, or None when it passes."""
    try:
        decide()
    except Refusal as refusal:
        return refusal.entry.code
    return None


def test_absent_numbers_are_none_and_two_are_refused():
    assert rules.number([], b"n") is None
    with pytest.raises(Refusal):
        rules.number([(b"n", b"1"), (b"n", b"1")], b"n")


names = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABC_-.0123456789", min_size=1, max_size=12)


@given(
    pairs=st.dictionaries(names, st.binary(max_size=40), max_size=8), spaces=st.sampled_from(["", " ", "\t "])
)
def test_well_formed_metadata_passes(pairs, spaces):
    text = f",{spaces}".join(f"{name} {base64.b64encode(value).decode()}" for name, value in pairs.items())
    rules.check_metadata([(b"upload-metadata", text.encode())])


@given(value=st.binary(max_size=200))
def test_any_metadata_passes_or_is_refused(value):
    assert refused(lambda: rules.check_metadata([(b"upload-metadata", value)])) in {None, "bad-metadata"}


@given(length=st.none() | st.integers(0, 100), offset=st.integers(0, 120), body=st.none() | st.integers(0, 120),
       new=st.none() | st.integers(0, 120), size=st.integers(0, 100))  # fmt: skip
@example(length=10, offset=5, body=6, new=None, size=5)
@example(length=None, offset=5, body=6, new=10, size=5)
@example(length=None, offset=5, body=96, new=None, size=5)
@example(length=None, offset=5, body=0, new=4, size=5)
def test_whatever_is_allowed_ends_within_the_length(length, offset, body, new, size):
    """The two decisions together: set once, never below the size, never beyond the length or the maximum."""
    if length is not None and size > length:
        return
    append = rules.Append(offset, body, new)
    settled = length

    def decide() -> None:
        nonlocal settled
        settled = rules.settled_length(length, append, size=size)
        rules.check_fits(settled, append, size=size, most=100)

    if (code := refused(decide)) is not None:
        assert code in {"bad-length", "offset-mismatch", "too-large"}
        return
    assert offset == size
    assert length is None or settled == length
    assert settled is None or size + (body or 0) <= settled <= 100
    assert size + (body or 0) <= 100


def ranges(value: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"range", value)]


@given(value=header_bytes, size=st.integers(0, 1000))
def test_any_range_is_a_span_inside_the_file_or_everything_or_unsatisfiable(value, size):
    for header in (value, b"bytes=" + value):
        try:
            span = wanted_span(ranges(header), size=size, etag=ETAG)
        except Unsatisfiable:
            continue
        assert span is None or 0 <= span.start < span.end <= size


@given(size=st.integers(1, 1000), first=st.integers(0, 2000), last=st.integers(0, 2000))
def test_ranges_mean_what_the_standard_says(size, first, last):
    data = bytes(number % 251 for number in range(size))

    def taken(value: str) -> bytes | None:
        try:
            span = wanted_span(ranges(value.encode()), size=size, etag=ETAG)
        except Unsatisfiable:
            return None
        assert span is not None
        return data[span.start : span.end]

    assert taken(f"bytes={first}-") == (data[first:] or None)
    assert taken(f"bytes=-{last}") == (data[-last:] if last else None)
    assert taken(f"bytes={first}-{last}") == (data[first : last + 1] or None)


@given(etag=st.binary(max_size=20))
def test_if_range_holds_for_the_very_etag_only(etag):
    span = wanted_span([(b"range", b"bytes=0-0"), (b"if-range", etag)], size=10, etag=ETAG)
    assert (span == Span(0, 1)) is (etag == ETAG)


def test_a_thousand_ranges_are_not_even_counted():
    assert wanted_span(ranges(b"bytes=" + b"0-," * 1000 + b"0-"), size=10, etag=ETAG) is None


@pytest.mark.parametrize("value", [ETAG, b"*", b'"other", ' + ETAG, b"W/" + ETAG, ETAG + b',"x"'])
def test_if_none_match_finds_the_etag(value):
    assert is_known([(b"if-none-match", value)], ETAG)


@pytest.mark.parametrize("value", [b"", b'"other"', b"upl_x", b'"upl_x', b"**"])
def test_if_none_match_finds_nothing_else(value):
    assert not is_known([(b"if-none-match", value)], ETAG)
