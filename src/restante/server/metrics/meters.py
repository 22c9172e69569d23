"""Counters of this process, fed by what the log is told: one place says what happened, and it says nothing personal.

[Note: Few series] Label values come from the code (route templates, our own words), never from a request; whatever else comes is
counted as `other`. So there are hundreds of series at most, whoever asks for what.
"""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from restante.server.asgi import App, Receive, Scope, Send

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MOST_ROUTES = 600
"""Combinations of route, method and status that are told apart."""
UPLOADS = "/api/v1/uploads"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_OTHER = "other"

Value = str | float | None
Fields = Mapping[str, Value]


class Meters:
    """Everything that is counted; ``hear`` takes an event of the log, ``registry`` is what is written out."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._routes: set[tuple[str, str, str]] = set()
        self._requests = self._counter(
            "http_requests", "Requests that were answered", "route", "method", "status"
        )
        self._seconds = Histogram(
            "restante_http_request_duration_seconds",
            "Time until the last byte of the answer; live channels are left out",
            ("kind",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._in_flight = self.gauge("http_in_flight_requests", "Requests that are being answered")
        self._sent = self._counter("http_response_bytes", "Bytes of answers", "kind")
        self._received = self._counter("upload_bytes_received", "Bytes of uploads that came in")
        self._created = self._counter("uploads_created", "Uploads that were begun")
        self._terminated = self._counter("uploads_terminated", "Uploads that were given up by their client")
        self._resumed = self._counter("uploads_resumed", "Uploads whose client asked how far they are")
        self._conflicts = self._counter("upload_lease_conflicts", "Pieces refused while one was on its way")
        self._messages = self._counter("messages_sent", "Messages that were taken")
        self._refused = self._counter("refusals", "Requests refused, by the code of the answer", "code")
        self._replayed = self._counter("idempotent_replays", "Sends that were stored before")
        self._stages = Histogram(
            "restante_stage_duration_seconds",
            "Stages of requests and of the work beside them",
            ("stage",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._swept_at = self.gauge(
            "gc_last_success_timestamp_seconds", "Last sweep that ran to its end since the start"
        )
        self._limited = self._counter("rate_limited", "Requests refused by a rate limit", "route")
        self._reports = self._counter("reports", "Reports of abuse that were taken")
        self._ended = self._counter("gc_deleted", "What sweeps ended", "kind")
        self._failures = self._counter(
            "job_failures", "Work beside the requests that failed, to be tried again", "kind"
        )
        self._faults = self._counter("faults", "Unexpected failures")
        self._auth = self._counter("auth", "Attempts to show who one is", "method", "result")
        self._notices = self._counter(
            "notifications", "Pushes and mails that went out, or did not", "channel", "result"
        )
        self._policy = self._counter("csp_reports", "What browsers held back by our policy", "directive")
        self._hears: dict[str, Callable[[Fields], None]] = {
            "request": self._request,
            "swept": self._swept,
            "fault": lambda _: self._faults.inc(),
            **dict.fromkeys(("task-failed", "sweep-failed", "job-failed", "witness-failed"), self._failed),
            "sign-in-failed": lambda _: self._auth.labels("sign-in", "refused").inc(),
            "verification-failed": lambda _: self._auth.labels("verification", "refused").inc(),
            "push-answered": lambda fields: self._notices.labels(
                "push", _class_of(fields.get("status"))
            ).inc(),
            "mail-refused": lambda _: self._notices.labels("mail", "refused").inc(),
            **self._of_bus(),
            "policy-report": self._held_back,
        }

    def hear(self, event: str, fields: Fields) -> None:
        """Counts what the log is told."""
        if hears := self._hears.get(event):
            hears(fields)

    def hear_stage(self, stage: str, took_s: float, is_done: bool) -> None:  # noqa: FBT001 - one of three facts
        """Counts how long a stage took."""
        self._stages.labels(stage).observe(took_s)
        if stage == "sweep" and is_done:
            self._swept_at.set_to_current_time()

    def counted(self, app: App) -> App:
        """Counts the requests in flight of an application."""

        async def count(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            self._in_flight.inc()
            try:
                await app(scope, receive, send)
            finally:
                self._in_flight.dec()

        return count

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """Makes a value that is set when somebody asks."""
        return Gauge(f"restante_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"restante_{name}", text, labels, registry=self.registry)

    def _request(self, fields: Fields) -> None:
        route, method, status = str(fields["route"]), str(fields["method"]), f"{fields['status']}"
        kind = kind_of(route)
        self._requests.labels(*self._bounded(route, method, status)).inc()
        self._sent.labels(kind).inc(_number(fields["bytes"]))
        if kind != "live":
            self._seconds.labels(kind).observe(_number(fields["duration_ms"]) / 1000)
        if kind == "upload":
            self._upload(method, status, _number(fields.get("received", 0)))
        elif (route, method, status) == ("/api/v1/messages", "POST", "201"):
            (self._replayed if fields.get("replayed") else self._messages).inc()
        elif (route, method, status) == ("/api/v1/reports", "POST", "201"):
            self._reports.inc()
        elif route.startswith("/api/v1/sign-in") and (method, status) == ("POST", "201"):
            self._auth.labels("sign-in", "accepted").inc()
        if code := fields.get("code"):
            self._refused.labels(code).inc()
        if status == "429":
            self._limited.labels(self._bounded(route, method, status)[0]).inc()

    def _upload(self, method: str, status: str, received: float) -> None:
        self._received.inc(received)
        if (method, status) == ("POST", "201"):
            self._created.inc()
        elif (method, status) == ("DELETE", "204"):
            self._terminated.inc()
        elif (method, status) == ("HEAD", "200"):
            self._resumed.inc()
        elif status == "423":
            self._conflicts.inc()

    def _bounded(self, route: str, method: str, status: str) -> tuple[str, str, str]:
        labels = (route or "none", method if method in METHODS else _OTHER, status)
        if labels not in self._routes:
            if len(self._routes) >= MOST_ROUTES:
                return _OTHER, _OTHER, f"{status[:1]}xx"
            self._routes.add(labels)
        return labels

    def _of_bus(self) -> dict[str, Callable[[Fields], None]]:
        joined = self.gauge("bus_joined", "Whether hints come from other nodes; 1 where there are none")
        joined.set(1)
        return {"bus-away": lambda _: joined.set(0), "bus-back": lambda _: joined.set(1)}

    def _swept(self, fields: Fields) -> None:
        for kind, count in fields.items():
            self._ended.labels(kind).inc(_number(count))

    def _failed(self, fields: Fields) -> None:
        self._failures.labels(str(fields["kind"])).inc()

    def _held_back(self, fields: Fields) -> None:
        directive = str(fields["directive"])
        self._policy.labels(directive if directive in _DIRECTIVES else _OTHER).inc()


_DIRECTIVES = frozenset(
    "base-uri connect-src default-src font-src form-action frame-ancestors img-src media-src script-src script-src-elem"
    " style-src style-src-elem style-src-attr worker-src trusted-types require-trusted-types-for".split()
)


def kind_of(route: str) -> str:
    """What kind of work a request is."""
    if route.startswith(UPLOADS):
        return "upload"
    if route.endswith("/video"):
        return "download"
    if route == "/api/v1/events":
        return "live"
    return "api" if route.startswith("/api/") else "app"


def _class_of(status: Value) -> str:
    number = int(_number(status or 0))
    return f"{number // 100}xx" if 100 <= number < 600 else "failed"


def _number(value: Value) -> float:
    return float(value or 0)
