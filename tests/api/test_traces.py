"""Traces: what a request was made of, handed to a real OTLP receiver, and nothing in them of anybody."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from restante.server.config import BadSettings, from_environment
from tests.api.inside import Inside
from tests.api.inside import run as run_inside
from tests.api.people import sign_up_form
from tests.api.uploading import TUS

SECRET = "a-secret-of-the-collector"
NAME = "ann-of-the-canary"
ATTRIBUTES = {
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "restante.code",
    "restante.request_id",
}


@dataclass
class Collector:
    """Takes traces as a collector does."""

    url: str = ""
    raw: list[bytes] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    status: int = 200

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for body in self.raw
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collecting(status: int = 200) -> Iterator[Collector]:
    collector = Collector(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
            collector.raw.append(body)
            collector.shown.add(self.headers["authorization"] or "")
            self.send_response(collector.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(folder: Path, scenario: Callable[[Inside], Awaitable[None]], **settings: Any) -> None:
    """As a server does that ends: what waits is handed over."""

    async def inner(inside: Inside) -> None:
        await scenario(inside)
        await inside.house.jobs.sweeper.run()
        await asyncio.to_thread(inside.control.state.traces.close)

    run_inside(folder, inner, **settings)


def test_a_request_is_a_trace_of_its_stages_and_nothing_in_it_is_anybodys(tmp_path: Path) -> None:
    secrets: set[str] = {NAME, "canary-agent", "198.51.100.77", "c0ffee"}

    async def scenario(inside: Inside) -> None:
        made = await inside.client.post("/api/v1/accounts", json=sign_up_form(NAME))
        secrets.add(made.json()["token"])
        secrets.add(sign_up_form(NAME)["unlock"][0]["bearer"])
        ours = {
            "authorization": f"Bearer {made.json()['token']}",
            "user-agent": "canary-agent",
            "x-forwarded-for": "198.51.100.77",
            "traceparent": "00-c0ffeec0ffeec0ffeec0ffeec0ffee00-c0ffeec0ffee0000-01",
        }
        created = await inside.client.post("/api/v1/uploads", headers={**ours, **TUS, "upload-length": "5"})
        place = created.headers["location"]
        secrets.add(place.rpartition("/")[2])
        piece = {**ours, **TUS, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
        assert (await inside.client.patch(place, content=b"hello", headers=piece)).status_code == 204
        assert (await inside.client.get("/api/v1/messages/msg_canary", headers=ours)).status_code == 404
        assert (await inside.client.get(f"/nowhere/{NAME}?{NAME}", headers=ours)).status_code == 404

    with collecting() as collector:
        run(tmp_path, scenario, traces_url=collector.url, traces_secret=SECRET)
    assert collector.shown == {f"Bearer {SECRET}"}
    everything = b"".join(collector.raw)
    assert [word for word in secrets if word.encode() in everything] == []
    assert b"/api/v1/uploads/{id}" in everything, "the control: it would have been found"
    spans = collector.spans
    assert {each.key for span in spans for each in span.attributes} == ATTRIBUTES
    assert not any(span.events or span.links for span in spans)
    requests = {span.name: span for span in spans if span.kind == Span.SPAN_KIND_SERVER}
    assert {
        "POST /api/v1/accounts",
        "POST /api/v1/uploads/{id}",
        "PATCH /api/v1/uploads/{id}",
        "GET /api/v1/messages/{message_id}",
        "GET none",
    } <= requests.keys()
    patch = requests["PATCH /api/v1/uploads/{id}"]
    assert not patch.parent_span_id, "whoever asks chooses no trace"
    within = {span.name for span in spans if span.trace_id == patch.trace_id} - {patch.name}
    assert {"upload-finish", "flush", "db-write"} <= within
    codes = [
        each.value.string_value for each in requests["GET none"].attributes if each.key == "restante.code"
    ]
    assert codes == ["not-found"]
    sweeps = [span for span in spans if span.name == "sweep"]
    assert sweeps
    assert not any(span.parent_span_id for span in sweeps)
    parts = [span for span in spans if span.name in {"db-read", "db-write", "flush"}]
    assert all(span.parent_span_id for span in parts), "loops that ask the database are no traces"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_as_many_are_traced_as_is_asked(tmp_path: Path, share: float) -> None:
    async def scenario(inside: Inside) -> None:
        await inside.client.get("/api/v1/server")

    with collecting() as collector:
        run(tmp_path, scenario, traces_url=collector.url, traces_share=share)
    assert bool(collector.spans) == bool(share)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_collector_that_fails_costs_nobody_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, is_there: bool
) -> None:
    async def scenario(inside: Inside) -> None:
        answers = await asyncio.gather(*(inside.client.get("/api/v1/server") for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}

    with collecting(status=400) as collector:
        url = collector.url if is_there else "http://127.0.0.1:1/v1/traces"
        begun_s = time.monotonic()
        run(tmp_path, scenario, traces_url=url)
    assert time.monotonic() - begun_s < 20
    said = capsys.readouterr()
    events = [json.loads(line)["event"] for line in said.out.splitlines() if line.startswith("{")]
    assert events.count("traces-lost") <= 1
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"RESTANTE_TRACES_URL": "collector:4318"}, "http://127.0.0.1:4318/v1/traces"),
        ({"RESTANTE_TRACES_URL": "http://127.0.0.1:4318"}, "http://127.0.0.1:4318/v1/traces"),
        ({"RESTANTE_TRACES_SHARE": "2"}, "from 0 to 1"),
        ({"RESTANTE_METRICS_TOKEN": "short"}, "at least 16 characters"),
    ],
)
def test_what_cannot_be_is_said(environ: dict[str, str], says: str) -> None:
    with pytest.raises(BadSettings, match=says):
        from_environment(environ)
