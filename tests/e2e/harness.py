"""The harness pages of web/tests/harness, built and served under the app's own policies; what they hand over is kept."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.building import build_into

_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types restante; report-uri /csp"
)
_WORKER = (
    "default-src 'none'; script-src 'wasm-unsafe-eval'; connect-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp"
)


@dataclass
class Harness:
    """A running harness: where it is, what its pages handed over, and what the browser complained of."""

    url: str
    out: Path
    reports: list[str] = field(default_factory=list)


def build(folder: Path) -> Path:
    """Puts the harness pages into a folder."""
    return build_into(folder, "tests/harness/media.config.ts")


@contextmanager
def served(pages: Path, out: Path) -> Iterator[Harness]:
    """Serves built pages; a POST to /out/NAME writes a file, one to /csp adds a report."""
    harness = Harness("", out)
    handler = partial(_Handler, harness, directory=str(pages))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    harness.url = f"http://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield harness
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, harness: Harness, *arguments: object, **options: object) -> None:
        self._harness = harness
        super().__init__(*arguments, **options)  # type: ignore[arg-type]

    def end_headers(self) -> None:
        is_worker = self.path.startswith("/workers/")
        self.send_header("Content-Security-Policy", _WORKER if is_worker else _PAGE)
        super().end_headers()

    def translate_path(self, path: str) -> str:
        if path.startswith("/out/"):
            return str(self._harness.out / Path(path).name)
        return super().translate_path(path)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/csp":
            self._harness.reports.append(body.decode())
        else:
            (self._harness.out / Path(self.path).name).write_bytes(body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""
