"""A newer version of the app: offered, not forced; a tab that still runs the older one keeps working."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.browsing import Visitors
from tests.serving import Server, serving

REMEMBER = """addEventListener('restante:new-version', event => { window.offered = event.detail })"""
NAMED = "() => document.querySelector('meta[name=description]').content"
KEPT = "() => caches.keys().then(names => names.length)"


@pytest.fixture
def copy(webapp: Path, tmp_path: Path) -> Path:
    """The web app in a folder of the test's own, so that it can be replaced."""
    return shutil.copytree(webapp, tmp_path / "webapp")


@pytest.fixture
def house(copy: Path, tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data", TEST_WEBAPP=str(copy)) as server:
        yield server


def release(copy: Path, name: str) -> None:
    """Makes the next version of the app, which describes itself by its name."""
    page, worker = copy / "index.html", copy / "sw.js"
    page.write_text(re.sub(r'(name="description" content=")[^"]*', rf"\1{name}", page.read_text()))
    worker.write_text(re.sub(r"shell-[0-9a-z]{12}", "shell-" + name.ljust(12, "0"), worker.read_text()))
    for file in ("index.html", "sw.js"):
        for end in (".br", ".gz"):
            (copy / (file + end)).unlink(missing_ok=True)


def begin_anew(house: Server, copy: Path, name: str) -> None:
    house.kill()
    release(copy, name)
    house.start()


def test_a_new_version_starts_when_it_is_asked_to(copy: Path, house: Server, visitors: Visitors) -> None:
    """The one before stays for other tabs; those before it are forgotten."""
    visitor = visitors.arrive(house)
    visitor.witness.allow("ERR_CONNECTION_")
    visitor.context.add_init_script(REMEMBER)
    page, other = visitor.open("/"), visitor.open("/")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    before = page.evaluate(NAMED)
    begin_anew(house, copy, "two")
    page.reload()
    assert page.evaluate(NAMED) == before, "what is kept is shown at once"
    page.wait_for_function("() => window.offered !== undefined")
    assert page.evaluate(NAMED) == before, "nothing changes unasked"
    other.evaluate("() => { window.mark = 1 }")
    with page.expect_navigation():
        page.get_by_role("button", name="Load it now").click()
    assert page.evaluate(NAMED) == "two"
    assert other.evaluate("() => window.mark") == 1, "another tab may be recording"
    assert page.evaluate(KEPT) == 2, "for that tab the parts of the version before are still there"
    other.close()
    begin_anew(house, copy, "three")
    page.reload()
    page.wait_for_function("() => window.offered !== undefined")
    with page.expect_navigation():
        page.evaluate("() => window.offered.use()")
    assert page.evaluate(NAMED) == "three"
    assert page.evaluate(KEPT) == 2


REGISTERED = "() => navigator.serviceWorker.getRegistrations().then(all => all.length)"
MARKED = """name => caches.open(name).then(cache => cache.put('/marked', new Response('x')))"""
HAS_MARK = (
    "name => caches.open(name).then(cache => cache.match('/marked')).then(found => found !== undefined)"
)
NAME_OF_CACHE = "() => caches.keys().then(names => names[0])"
KEEP_DRAFT = """() => new Promise(done => {
  const asked = indexedDB.open('kept-by-this-test', 1);
  asked.onsuccess = () => { asked.result.close(); done() };
})"""
HAS_DRAFT = "() => indexedDB.databases().then(all => all.some(one => one.name === 'kept-by-this-test'))"


@pytest.mark.long
def test_the_service_worker_can_be_killed_by_an_address(house: Server, visitors: Visitors) -> None:
    """A version that went wrong is got rid of, with all that it kept; what the person has here stays."""
    visitor = visitors.arrive(house)
    page = visitor.open("/")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    name = page.evaluate(NAME_OF_CACHE)
    page.evaluate(MARKED, name)
    page.evaluate(KEEP_DRAFT)
    page.reload()
    assert page.evaluate(HAS_MARK, name), "without it, what is kept stays kept"
    page.goto(f"{visitor.url}/app-reset")
    assert page.url == f"{visitor.url}/"
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    assert page.evaluate(REGISTERED) == 1, "the server's own one comes anew"
    assert not page.evaluate(HAS_MARK, name)
    assert page.evaluate(HAS_DRAFT)


@pytest.mark.long  # the other tab of the test above is at work, too
def test_a_tab_that_is_at_work_keeps_its_version(copy: Path, house: Server, visitors: Visitors) -> None:
    """The new worker waits as long as nobody asks for it: parts that are loaded late are still those of the old version."""
    visitor = visitors.arrive(house)
    visitor.witness.allow("ERR_CONNECTION_")
    page = visitor.open("/")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    begin_anew(house, copy, "two")
    waiting = """async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      while (registration.waiting === null) await new Promise(done => setTimeout(done, 50));
      return registration.active.state;
    }"""
    controller = "() => { window.before ??= navigator.serviceWorker.controller; return window.before === navigator.serviceWorker.controller }"
    assert page.evaluate(controller)
    assert page.evaluate(waiting) == "activated"
    assert page.evaluate(controller), "nobody took over"
