"""The `type` of a problem leads to a page that says in plain words what it means (RFC 9457 section 3.1.1)."""

import pytest

from restante.protocol.codes import CODES
from tests.api.people import assert_problem, new_client


@pytest.fixture
def nobody(server):
    with new_client(server.url) as client:
        yield client


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_page(nobody, code):
    answer = nobody.get(f"/problems/{code}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=86400"
    entry = CODES[code]
    assert answer.text.splitlines() == [
        line for line in (f"{code} ({entry.status})", entry.title, entry.hint) if line
    ]


def test_a_problem_leads_to_its_page(nobody):
    problem = nobody.get("/api/v1/sessions").json()
    assert problem["title"] in nobody.get(problem["type"]).text


@pytest.mark.parametrize("code", ["nothing", "Busy", "busy%0a", "%2e%2e%2fetc%2fpasswd", ""])
def test_other_codes_have_none(nobody, code):
    assert_problem(nobody.get(f"/problems/{code}"), 404, "not-found")


def test_the_page_is_for_reading_only(nobody):
    answer = nobody.post("/problems/busy")
    assert_problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "OPTIONS"}
