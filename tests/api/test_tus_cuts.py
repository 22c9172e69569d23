"""Cuts do not matter: however a stream of bytes is split, cut and resumed, the upload is those bytes."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.people import make_account
from tests.api.uploading import create, delete, head, offset, patch, patch_head, wire
from tests.stored import stored

SIZE = 200_000
steps = st.lists(
    st.tuples(
        st.sampled_from(["patch", "close", "reset", "half-close", "chunked", "stale"]), st.integers(0, 90_000)
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps, seed=st.integers(0, 2**32), deferred=st.booleans())
def test_an_upload_cut_anywhere_ends_as_the_bytes_that_were_sent(server, plan, seed, deferred):
    person = make_account(server.url)
    data = random.Random(seed).randbytes(SIZE)
    url = create(person, None if deferred else SIZE)
    reach, may_be_late = (
        0,
        server.processes > 1,
    )  # a piece that was cut may come to another process afterwards
    for how, size in plan:
        at = offset(person, url)
        piece = data[at : at + size]
        reach = max(reach if may_be_late else 0, at + len(piece))
        if how == "patch":
            assert patch(person, url, at, piece).status_code in ({204, 409, 423} if may_be_late else {204})
        elif how == "stale":
            assert patch(person, url, at + 1, piece[1:]).status_code in {409, 413}
        else:
            _cut(server, person, url, at, piece, how)
        assert at <= offset(person, url) <= reach
    last = _finish(person, url, data)
    while may_be_late and last.status_code in {409, 423}:
        last = _finish(person, url, data)
    assert (last.status_code, last.headers["upload-offset"]) == (204, str(SIZE))
    assert stored(server, url) == data
    assert head(person, url).headers["upload-length"] == str(SIZE)
    assert delete(person, url).status_code == 204


def _finish(person, url: str, data: bytes):
    at = offset(person, url)
    return patch(person, url, at, data[at:], upload_length=str(SIZE))


def _cut(server, person, url: str, at: int, piece: bytes, how: str) -> None:
    """Announces more than it sends, then goes in one way or another."""
    announced: int | str = "chunked" if how == "chunked" else min(SIZE - at, len(piece) + 1000)
    with wire(server.port) as cut:
        cut.start("PATCH", url, *patch_head(person, at, announced))
        cut.send(f"{len(piece):x}\r\n" if how == "chunked" and piece else b"", piece)
        if how == "reset":
            cut.reset()
        elif how == "half-close":
            cut.end()
            cut.answers()
