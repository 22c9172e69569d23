"""The page opens under its policy, its workers run under theirs, and it opens again without a network."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Worker

from tests.api.people import new_client, new_name, sign_up_form
from tests.e2e.browsing import Visitors, no_reports, offline_files, policy_reports, until_kept
from tests.serving import Server, serving

TRY_EVAL = """() => new Promise(resolve => setTimeout(() => {
  try { eval('1'); resolve('allowed') } catch (error) { resolve(error.name) }
}))"""
"""In a task of its own: what the debugger runs directly is exempt from the policy."""
TRY_MARKUP = (
    "() => { try { document.body.innerHTML = '<b>x</b>'; return '' } catch (error) { return error.name } }"
)
TRY_STRING = "() => { try { new Worker('/sw.js'); return '' } catch (error) { return error.name } }"
SIGN_UP = """async form => {
  const headers = { 'content-type': 'application/json' };
  const made = await fetch('/api/v1/accounts', { method: 'POST', headers, body: JSON.stringify(form) });
  const asked = await fetch('/api/v1/sessions');
  const left = await fetch('/api/v1/sessions', { method: 'DELETE' });
  return [made.status, asked.status, left.status, document.cookie];
}"""


def heading_of(page: Page) -> str:
    heading = page.get_by_role("heading").first
    heading.wait_for()
    return heading.inner_text()


def until_reported(server: Server, directive: str) -> bool:
    """Reports travel by themselves, a moment after what they tell of."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if directive in {report["directive"] for report in policy_reports(server)}:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def lenient_house(webapp: Path, tmp_path: Path) -> Iterator[Server]:
    """A server that may be told of breaches; it stays until the visitors have left."""
    with serving(tmp_path / "data") as server:
        yield server


def test_the_page_opens_and_nothing_complains(house: Server, visitors: Visitors) -> None:
    page = visitors.arrive(house).open("/")
    assert heading_of(page)
    assert page.title()


def test_the_policy_holds_and_what_it_held_back_is_reported(
    lenient_house: Server, visitors: Visitors
) -> None:
    """The negative control of every other browser test: a breach is seen by the page's witness and by the server's."""
    visitor = visitors.arrive(lenient_house)
    page = visitor.open("/")
    assert heading_of(page)
    visitor.witness.assert_content()
    assert page.evaluate(TRY_EVAL) == "EvalError"
    assert page.evaluate(TRY_MARKUP) == "TypeError"
    assert page.evaluate(TRY_STRING) == "TypeError"
    assert until_reported(lenient_house, "require-trusted-types-for")
    with pytest.raises(AssertionError, match="a policy held something back"), no_reports(lenient_house):
        pass
    with pytest.raises(AssertionError, match="a page complained"):
        visitor.witness.assert_content()
    visitor.witness.allow(".")
    visitor.witness.complaints.clear()


def worker_files(webapp: Path) -> list[str]:
    return [f"/workers/{path.name}" for path in sorted((webapp / "workers").glob("*.js"))]


def test_each_worker_file_is_sent_with_a_policy(house: Server, webapp: Path) -> None:
    with new_client(house.url) as anyone:
        for path in (*worker_files(webapp), "/sw.js"):
            (policy,) = anyone.get(path).headers.get_list("content-security-policy")
            assert policy.startswith("default-src 'none'; ")
            assert "trusted-types 'none'" in policy
            assert "'unsafe-eval'" not in policy


def start_worker(page: Page, path: str) -> Worker:
    with page.expect_worker() as started:
        page.evaluate("path => { new Worker(path, { type: 'module' }) }", path)
    return started.value


def test_eval_is_refused_in_every_worker(lenient_house: Server, webapp: Path, visitors: Visitors) -> None:
    """The page is one without a policy, so what refuses is the policy of the worker's own file."""
    visitor = visitors.arrive(lenient_house, service_workers="block")
    visitor.witness.allow("Content Security Policy|EvalError")
    page = visitor.context.new_page()
    page.route("**/probe", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.route("**/lawless.js", lambda route: route.fulfill(body="0", content_type="text/javascript"))
    page.goto(f"{visitor.url}/probe")
    assert start_worker(page, "/lawless.js").evaluate(TRY_EVAL) == "allowed"
    for path in worker_files(webapp):
        if "worklet" not in path:  # a worklet is no worker: it obeys the page
            assert start_worker(page, path).evaluate(TRY_EVAL) == "EvalError", path


def test_it_opens_again_without_a_network(house: Server, webapp: Path, visitors: Visitors) -> None:
    visitor = visitors.arrive(house)
    page = visitor.open("/")
    heading = heading_of(page)
    until_kept(page, len(offline_files(webapp)))
    visitor.context.set_offline(True)
    visitor.witness.allow("ERR_INTERNET_DISCONNECTED")
    page.reload()
    assert heading_of(page) == heading
    again = visitor.context.new_page()
    again.goto(f"{visitor.url}/some/where")
    assert heading_of(again)
    (worker,) = visitor.context.service_workers
    assert page.evaluate("() => navigator.serviceWorker.controller !== null")
    assert worker.url == f"{visitor.url}/sw.js"


def test_a_page_out_of_the_cache_obeys_the_same_policy(
    lenient_house: Server, webapp: Path, visitors: Visitors
) -> None:
    visitor = visitors.arrive(lenient_house)
    page = visitor.open("/")
    until_kept(page, len(offline_files(webapp)))
    page.reload()
    assert page.evaluate("() => navigator.serviceWorker.controller !== null")
    visitor.witness.allow("Content Security Policy|Trusted")
    assert page.evaluate(TRY_EVAL) == "EvalError"
    assert page.evaluate(TRY_MARKUP) == "TypeError"
    (worker,) = visitor.context.service_workers
    assert worker.evaluate(TRY_EVAL) == "EvalError"
    asked = "path => fetch(path).then(answer => answer.headers.get('content-security-policy'))"
    for path in worker_files(webapp):
        assert page.evaluate(asked, path).startswith("default-src 'none'"), path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_session_cookie_works_without_https_on_this_machine(
    house: Server, visitors: Visitors, host: str
) -> None:
    page = visitors.arrive(house, host=host).open("/")
    assert page.evaluate(SIGN_UP, sign_up_form(new_name(), client="web")) == [201, 200, 204, ""]
