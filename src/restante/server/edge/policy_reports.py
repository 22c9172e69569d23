"""POST /api/v1/policy-reports: a browser tells that a policy held something back.

Anyone may post here, so what is taken is little: two words of a closed form, and so many a minute. No address is kept.
"""

import re

import msgspec
from msgspec import Struct

from restante.protocol import limits
from restante.server.asgi import Receive, Scope, Send, read_body, respond
from restante.server.clock import Clock
from restante.server.edge.policies import REPORTS
from restante.server.errors import Refusal
from restante.server.log import Log

BODY_BYTES = 16 * limits.KIB
BURST = 20
REFILL_S = 3.0
_DIRECTIVE = re.compile(r"[a-z][a-z-]{0,39}")
_BLOCKED = re.compile(r"([a-z][a-z-]{0,23})(?::|\Z)")


class Report(Struct, rename="kebab"):
    """What we read of a report (CSP level 3, section 5.3)."""

    effective_directive: str = ""
    violated_directive: str = ""
    blocked_uri: str = ""


class _Body(Struct, rename="kebab"):
    csp_report: Report


class PolicyReports:
    """Logs the directive and what kind of thing was blocked; beyond the rate reports are dropped."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._left = float(BURST)
        self._seen_s = clock.monotonic_s()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        scope["route"] = REPORTS
        if scope["method"] != "POST":
            raise Refusal("method-not-allowed", headers={"allow": "POST"})
        body = await read_body(scope, receive, limit=BODY_BYTES)
        try:
            report = msgspec.json.decode(body, type=_Body).csp_report
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Refusal("bad-json") from None
        if self._admits():
            self._log.event("policy-report", directive=directive_of(report), blocked=blocked_of(report))
        await respond(send, 204, [])

    def _admits(self) -> bool:
        now_s = self._clock.monotonic_s()
        self._left = min(BURST, self._left + (now_s - self._seen_s) / REFILL_S)
        self._seen_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


def directive_of(report: Report) -> str:
    """The directive's name, or empty: whatever else stands there is not logged."""
    found = _DIRECTIVE.match(report.effective_directive or report.violated_directive)
    return found[0] if found else ""


def blocked_of(report: Report) -> str:
    """A keyword such as `inline` or `eval`, or the scheme of what was blocked; never its address."""
    found = _BLOCKED.match(report.blocked_uri)
    return found[1] if found else ""
