"""Requests whose framing lies: no answer is a fault, no byte is stored that was not sent, nothing hides in a body."""

import re

import pytest

from tests.api.parcels import until
from tests.api.people import make_account
from tests.api.uploading import create, head, offset, patch_head, wire
from tests.stored import stored

BODY = "HELLO"
CASES = {
    "length and chunked": (["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n{hidden}"),
    "chunked and length": (
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        "5\r\nHELLO\r\n0\r\n\r\n{hidden}",
    ),
    "identity, chunked": (["Transfer-Encoding: identity, chunked"], "5\r\nHELLO\r\n0\r\n\r\n"),
    "chunked, identity": (["Transfer-Encoding: chunked, identity"], "5\r\nHELLO\r\n0\r\n\r\n{hidden}"),
    "chunked twice": (
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        "5\r\nHELLO\r\n0\r\n\r\n",
    ),
    "two lengths": (["Content-Length: 5", "Content-Length: 500"], "HELLO{hidden}"),
    "list of lengths": (["Content-Length: 5, 500"], "HELLO{hidden}"),
    "negative length": (["Content-Length: -5"], "HELLO{hidden}"),
    "length with a plus": (["Content-Length: +5"], "HELLO{hidden}"),
    "length of twenty digits": (["Content-Length: 99999999999999999999"], "HELLO"),
    "chunk size that is no number": (["Transfer-Encoding: chunked"], "zz\r\nHELLO\r\n0\r\n\r\n"),
    "chunk size beyond 64 bits": (["Transfer-Encoding: chunked"], "fffffffffffffffff5\r\nHELLO\r\n0\r\n\r\n"),
    "chunk longer than it says": (["Transfer-Encoding: chunked"], "3\r\nHELLO\r\n0\r\n\r\n"),
    "chunk without its end": (["Transfer-Encoding: chunked"], "5\r\nHELLO0\r\n\r\n{hidden}"),
    "bare line feeds in chunks": (["Transfer-Encoding: chunked"], "5\nHELLO\n0\n\n"),
    "space before the colon": (["Content-Length : 5"], "HELLO{hidden}"),
    "folded header": (["Content-Length:", " 5"], "HELLO{hidden}"),
    "NUL in a header": (["Content-Length: 5", "X-Odd: a\0b"], "HELLO"),
    "no length at all": ([], "HELLO"),
}


@pytest.fixture(scope="module")
def person(server):
    return make_account(server.url)


@pytest.fixture(scope="module")
def victim(person):
    return create(person, 1000)


@pytest.fixture
def url(person):
    address = create(person, 1000)
    yield address
    person.client.delete(address, headers={"tus-resumable": "1.0.0"})


def hidden(person, victim: str) -> str:
    """A whole request to delete another upload, placed where only a confused server would see it."""
    lines = [f"DELETE {victim} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {person.token}"]
    return "\r\n".join([*lines, "Tus-Resumable: 1.0.0", "Content-Length: 0", "", ""])


@pytest.mark.parametrize("case", CASES)
def test_lying_framing_stores_a_prefix_at_most_and_smuggles_nothing(server, person, victim, url, case):
    headers, body = CASES[case]
    with wire(server.port) as connection:
        connection.start("PATCH", url, *patch_head(person, 0, 0)[:4], *headers)
        connection.send(body.format(hidden=hidden(person, victim)))
        connection.end()
        statuses = [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3})", connection.answers())]
    assert all(200 <= status < 500 for status in statuses), statuses
    # What came may still be stored by the node that was spoken to when another is asked.
    until(lambda: offset(person, url) == len(stored(server, url)))
    kept = stored(server, url)
    assert BODY.encode().startswith(kept)
    assert head(person, victim).status_code == 200, "the hidden request was carried out"


def test_a_hidden_request_that_stands_in_the_open_is_carried_out(server, person):
    """The control: the same bytes as a second request on the connection do delete."""
    url, other = create(person, 10), create(person, 10)
    with wire(server.port) as connection:
        connection.start("PATCH", url, *patch_head(person, 0, 5)).send("HELLO", hidden(person, other))
        text = connection.answers()
    assert text.count(b"HTTP/1.1 204") == 2
    assert head(person, other).status_code == 410


@pytest.mark.parametrize(
    "line",
    ["PATCH {url}", "PATCH {url} HTTP/9.9", "PATCH  {url}  HTTP/1.1", "\0\1\2", "PATCH " + "a" * 70_000],
)
def test_request_lines_that_are_none_are_refused(server, person, url, line):
    with wire(server.port) as connection:
        connection.send(line.format(url=url), "\r\nHost: localhost\r\n\r\n")
        connection.end()
        statuses = [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3})", connection.answers())]
    assert all(400 <= status < 500 for status in statuses), statuses
    assert offset(person, url) == 0
