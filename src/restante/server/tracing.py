"""Traces by OpenTelemetry, for an operator who has a collector: what a request or an errand was made of, and how long it took.

[Note: Traces say what the log says] A span has the method, the route's template, the status, the code of a refusal and the request id; the spans
within it have the name of a stage. No header of a request is read: whoever asks cannot choose what is traced, or as what.

This module is loaded only where traces are wanted: the libraries are the extra `otel`.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span

from restante import __version__
from restante.server.asgi import App, Message, Receive, Scope, Send
from restante.server.config import Settings
from restante.server.log import Log

WITHIN_S = 3
"""How long a collector has for its answer; a server that stops waits no longer."""
QUIET = "/api/v1/events"
"""Live channels last for hours: they would be traces without an end."""
_PARTS = frozenset({"db-read", "db-write", "flush", "upload-finish"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Traces:
    """Hands spans to a collector, in batches and beside the work; when it does not answer they are dropped."""

    def __init__(self, settings: Settings, log: Log) -> None:
        logging.getLogger("opentelemetry").setLevel(
            logging.CRITICAL
        )  # its words quote the collector's; ours are below
        about = Resource.create({"service.name": "restante", "service.version": __version__})
        sampler = ParentBased(TraceIdRatioBased(settings.traces_share))
        self._provider = TracerProvider(resource=about, sampler=sampler, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_Told(_exporter(settings), log)))
        self._tracer = self._provider.get_tracer("restante")

    def stage(self, name: str) -> AbstractContextManager[object]:
        """A span around a stage. What loops ask the database for between their errands belongs to nothing, and is no trace."""
        if name in _PARTS and not get_current_span().get_span_context().is_valid:
            return nullcontext()
        return self._span(name, SpanKind.INTERNAL)

    def traced(self, app: App) -> App:
        """A span around each request of an application."""

        async def trace(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope.get("path") == QUIET:
                await app(scope, receive, send)
                return
            status = 0

            async def noting(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            with self._span("request", SpanKind.SERVER) as span:
                try:
                    await app(scope, receive, noting)
                finally:
                    _describe(span, scope, status)

        return trace

    def close(self) -> None:
        """Hands over what waits, and ends. Blocks."""
        self._provider.shutdown()

    def _span(self, name: str, kind: SpanKind) -> AbstractContextManager[Span]:
        # An exception's text may quote what was sent: it is not recorded.
        return cast(
            "AbstractContextManager[Span]",
            self._tracer.start_as_current_span(
                name, kind=kind, record_exception=False, set_status_on_exception=False
            ),
        )


class _Told(SpanExporter):
    """Exports, and has the log say once that it does not work, or does again."""

    def __init__(self, exporter: SpanExporter, log: Log) -> None:
        self._exporter = exporter
        self._log = log
        self._is_lost = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        is_lost = result is not SpanExportResult.SUCCESS
        if is_lost != self._is_lost:
            self._is_lost = is_lost
            self._log.event("traces-lost" if is_lost else "traces-back")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _exporter(settings: Settings) -> OTLPSpanExporter:
    session = requests.Session()
    session.trust_env = False
    headers = {"authorization": f"Bearer {settings.traces_secret}"} if settings.traces_secret else {}
    return OTLPSpanExporter(settings.traces_url, headers=headers, timeout=WITHIN_S, session=session)


def _describe(span: Span, scope: Mapping[str, Any], status: int) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
    route = scope.get("path_template") or scope.get("route") or "none"
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)
    span.set_attribute("restante.request_id", scope.get("request_id", ""))
    if status:
        span.set_attribute("http.response.status_code", status)
    if code := scope.get("code"):
        span.set_attribute("restante.code", code)
    if status >= 500 or not status:
        span.set_status(StatusCode.ERROR)
