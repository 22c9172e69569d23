"""Content security policies of the web app: one for the page, one for each kind of worker file (docs/reference/headers.md).

[Note: Workers' policies] A worker loaded from the network obeys the policy of its own file, not the page's; a worker
file without one may eval. So every file under /workers/ has one, and a new kind gets the strictest until it is named here.
"""

REPORTS = "/api/v1/policy-reports"
_REPORT = f"report-uri {REPORTS}"
_NO_SINKS = "require-trusted-types-for 'script'; trusted-types 'none'"


def _policy(*directives: str) -> bytes:
    return "; ".join([*directives, _REPORT]).encode()


_CONNECT = b"connect-src 'self'"
PAGE = _policy(
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types restante",
)
SERVICE_WORKER = _policy("default-src 'none'", "img-src 'self'", "connect-src 'self'", _NO_SINKS)
WORKER = _policy("default-src 'none'", _NO_SINKS)
WASM_WORKER = _policy("default-src 'none'", "script-src 'wasm-unsafe-eval'", _NO_SINKS)
RECORDER = _policy("default-src 'none'", "script-src 'wasm-unsafe-eval'", "connect-src 'self'", _NO_SINKS)

_WORKERS = {"crypto": WASM_WORKER, "take": RECORDER}
"""By the room of the file, with which its name begins: workers/ROOM-HASH.js, workers/ROOM-NAME-HASH.js."""


def policy_of(path: str, *, videos_at: str = "") -> bytes | None:
    """Chooses the policy of a file of the web app; None where that of data does.

    ``videos_at`` is how the addresses of videos begin that pages read from elsewhere; no worker does.
    """
    if path == "/sw.js":
        return SERVICE_WORKER
    if path.startswith("/workers/"):
        return _WORKERS.get(path.removeprefix("/workers/").partition("-")[0], WORKER)
    if not path.endswith(".html"):
        return None
    return PAGE.replace(_CONNECT, _CONNECT + b" " + videos_at.encode()) if videos_at else PAGE
