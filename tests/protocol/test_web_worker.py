"""The web client's crypto worker under the policies that the server gives its files: no network, no eval, WebAssembly or not."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

from restante.crypto.passphrase import passphrase_access
from restante.protocol.encoding import b64
from restante.server.edge.policies import PAGE, policy_of
from tests.building import build_into
from tests.e2e.browsing import launch

SALT = bytes(range(16))
CONFIG = "tests/interop/page.config.ts"
FORBIDDEN = """() => new Promise(resolve => setTimeout(async () => {
  const outcome = async run => { try { await run(); return 'allowed' } catch (error) { return error.name } };
  resolve([
    await outcome(() => eval('1')),
    await outcome(() => fetch('/page.html')),
    await outcome(() => import('/page.html')),
    await outcome(() => importScripts('/page.html')),
  ]);
}))"""


class Files(SimpleHTTPRequestHandler):
    """Serves the built page as the server serves the app; ``wasm`` False takes WebAssembly away from workers."""

    protocol_version = "HTTP/1.1"

    def __init__(self, wasm, *arguments, **options):
        self._wasm = wasm
        super().__init__(*arguments, **options)

    def end_headers(self):
        policy = (policy_of(self.path) or PAGE).decode()
        if not self._wasm and self.path.startswith("/workers/"):
            assert "'wasm-unsafe-eval'" in policy
            policy = policy.replace("'wasm-unsafe-eval'", "'none'")
        self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return build_into(tmp_path_factory.mktemp("pages"), CONFIG)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = launch(playwright.chromium)
        yield running
        running.close()


@pytest.fixture(params=[True, False], ids=["wasm", "without-wasm"])
def page(request, pages, browser):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, request.param, directory=str(pages)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    opened = browser.new_page()
    opened.goto(f"http://localhost:{server.server_address[1]}/page.html")
    yield opened
    opened.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_worker_stretches_a_passphrase_as_python_does(page):
    expected = b64(passphrase_access("correct horse", salt=SALT).bearer)
    page.wait_for_function("() => 'stretch' in globalThis")
    assert page.evaluate("([words, salt]) => stretch(words, salt)", ["correct horse", b64(SALT)]) == expected


def test_worker_has_no_network_and_runs_no_text(page):
    page.wait_for_function("() => 'start' in globalThis")
    assert page.evaluate("() => start()") == "ann@post.example"
    (worker,) = page.workers
    assert "allowed" not in worker.evaluate(FORBIDDEN)
