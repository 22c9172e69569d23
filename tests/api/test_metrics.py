"""`/metrics`: it counts what happens, for who may read it, in few series, and says nothing of anybody."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from restante.protocol.codes import CODES
from restante.server.backup.taking import take
from restante.server.config import BadSettings, from_environment
from restante.server.metrics.meters import MOST_ROUTES, Meters
from restante.server.outbox.queue import Kind
from tests.api.inside import Inside, run
from tests.databases import in_use
from tests.shape.source import ROOT

STAGES = ("db-read", "db-write", "flush", "upload-finish", "sweep")
TOKEN = "a-token-of-24-characters"
ALERTS = ROOT / "deploy" / "prometheus"


def values(text: str) -> dict[str, float]:
    """Every sample by its name and labels."""
    return {
        f"{sample.name}{sorted(sample.labels.items()) if sample.labels else ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scrape(inside: Inside, **headers: str) -> dict[str, float]:
    answer = await inside.client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return values(answer.text)


def test_it_counts_what_happens(tmp_path: Path):
    async def scenario(inside: Inside) -> None:
        before = await scrape(inside)
        header = await inside.sign_up("ann-of-the-canary")
        await inside.client.get("/api/v1/sessions", headers=header)
        await inside.client.get("/api/v1/sessions")
        tus = {**header, "tus-resumable": "1.0.0"}
        created = await inside.client.post("/api/v1/uploads", headers={**tus, "upload-length": "5"})
        piece = {**tus, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
        await inside.client.patch(created.headers["location"], content=b"hello", headers=piece)
        if in_use() == "sqlite":  # PostgreSQL has backups of its own
            take(tmp_path, tmp_path.parent / f"{tmp_path.name}-backup")
        text = (await inside.client.get("/metrics")).text
        after = values(text)
        grown = {name: after[name] - before.get(name, 0) for name in after}
        assert grown["restante_uploads_created_total"] == 1
        assert grown["restante_upload_bytes_received_total"] == 5
        labels = [("method", "GET"), ("route", "/api/v1/sessions")]
        assert grown[f"restante_http_requests_total{[*labels, ('status', '200')]}"] == 1
        assert grown[f"restante_http_requests_total{[*labels, ('status', '401')]}"] == 1
        assert grown["restante_http_request_duration_seconds_count[('kind', 'upload')]"] == 2
        assert grown["restante_refusals_total[('code', 'not-signed-in')]"] == 1
        assert grown["restante_stage_duration_seconds_count[('stage', 'upload-finish')]"] == 1
        assert grown["restante_stage_duration_seconds_count[('stage', 'db-write')]"] >= 2
        await inside.client.head(created.headers["location"], headers=tus)
        await inside.house.jobs.sweeper.run()
        later = await scrape(inside)
        assert later["restante_uploads_resumed_total"] == 1
        assert later["restante_gc_last_success_timestamp_seconds"] > 1.7e9
        assert after["restante_http_in_flight_requests"] == 1  # this one
        assert after["restante_outbox_pending[('kind', 'delete-blob')]"] == 0
        assert after["restante_disk_bytes"] > after["restante_disk_free_bytes"] > 0
        assert (after["restante_backup_last_success_timestamp_seconds"] > 1.7e9) is (in_use() == "sqlite")
        assert after["restante_check_last_success_timestamp_seconds"] == 0
        assert "canary" not in text
        assert "upl_" not in text
        assert all(re.match(r"(restante|process)_", name) for name in after)
        names = {re.match(r"[a-z_]+", name)[0] for name in after}  # type: ignore[index] # it matched above
        told = (ROOT / "docs" / "reference" / "metrics.md").read_text()
        stems = {
            re.sub(r"_(bucket|sum|count|created)\Z", "", name)
            for name in names
            if name.startswith("restante_")
        }
        assert {name for name in stems if f"`{name}" not in told} == set()

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("settings", "client", "headers", "status"),
    [
        ({}, "127.0.0.1", {}, 200),
        ({}, "::1", {}, 200),
        ({}, "192.0.2.7", {}, 404),
        ({}, "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 404),
        ({}, "127.0.0.1", {"forwarded": "for=127.0.0.1"}, 404),
        ({"origins": ("https://post.example",)}, "127.0.0.1", {}, 404),
        ({"trusted_proxies": ("127.0.0.1",)}, "127.0.0.1", {}, 404),
        ({"metrics_token": TOKEN}, "127.0.0.1", {}, 404),
        ({"metrics_token": TOKEN}, "192.0.2.7", {"authorization": f"Bearer {TOKEN}x"}, 404),
        ({"metrics_token": TOKEN}, "192.0.2.7", {"authorization": f"Bearer {TOKEN}"}, 200),
    ],
)
def test_who_may_read_it(
    tmp_path: Path, settings: dict[str, Any], client: str, headers: dict[str, str], status: int
):
    async def scenario(inside: Inside) -> None:
        transport = httpx.ASGITransport(inside.app, client=(client, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as somebody:
            answer = await somebody.get("/metrics", headers=headers)
            assert answer.status_code == status
            assert ("restante_" in answer.text) == (status == 200)

    run(tmp_path, scenario, **settings)


def test_a_short_token_is_refused():
    with pytest.raises(BadSettings, match=r"(?i)metrics_token"):
        from_environment({"RESTANTE_METRICS_TOKEN": "short"})


def test_whatever_is_asked_there_are_few_series():
    meters = Meters()
    statuses = [*range(100, 600)]
    for number in range(5000):
        fields = {"route": f"/r{number % 97}", "method": f"M{number % 7}", "status": statuses[number % 500]}
        meters.hear("request", {**fields, "bytes": 1, "duration_ms": 1.0})
        meters.hear("policy-report", {"directive": f"made-up-{number}"})
        meters.hear("push-answered", {"status": number})
    for code in CODES:
        fields = {"route": "/r0", "method": "GET", "status": 400, "code": code}
        meters.hear("request", {**fields, "bytes": 1, "duration_ms": 1.0})
    for stage in (*STAGES, *get_args(Kind)):
        meters.hear_stage(stage, 0.1, True)
    text = generate_latest(meters.registry).decode()
    assert len(values(text)) <= 2000
    combinations = {(n % 97, "other", statuses[n % 500]) for n in range(5000)}
    assert len(combinations) > MOST_ROUTES, "the control: unbounded it would be more"
    assert 'route="other"' in text


@pytest.mark.long
def test_the_alerts_fire_and_the_names_are_good():
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is in Debian's prometheus")
    subprocess.run([tool, "test", "rules", "alerts.test.yml"], cwd=ALERTS, check=True)
    spoilt = (ALERTS / "alerts.yml").read_text().replace("> 300", "> 300000")
    assert spoilt != (ALERTS / "alerts.yml").read_text()
    metrics = generate_latest(Meters().registry)
    subprocess.run([tool, "check", "metrics"], input=metrics, check=True)
