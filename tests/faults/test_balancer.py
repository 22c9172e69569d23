"""HAProxy, as its example says, before two nodes that are stopped and started one after the other: people do not notice which is there."""

import asyncio
import contextlib
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.parcels import until
from tests.api.test_proxies import answers
from tests.faults import weather
from tests.faults.book import Book
from tests.faults.judge import judge
from tests.faults.load import Load
from tests.faults.site import Site, site
from tests.faults.trial import FOR_S
from tests.serving import ROOT, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(FOR_S * 3 + 240)]
PROXY = {"RESTANTE_TRUSTED_PROXIES": "127.0.0.1"}
WAITS_S = 3.0
"""HAProxy asks a node that is not there three times more, a second apart."""
AWAY_S = 4.0
"""A node is away for longer than that, as where an upgrade takes its time."""


@contextlib.contextmanager
def haproxy(folder: Path, urls: list[str], *, careful: bool) -> Iterator[str]:
    """With the shipped configuration, and what it says of several nodes."""
    port = free_port()
    folder.mkdir()
    text = (ROOT / "deploy" / "haproxy.cfg").read_text()
    nodes = [f"    server node{at} {url.removeprefix('http://')}" for at, url in enumerate(urls)]
    changes = {
        "bind :443 ssl crt /etc/haproxy/certs/post.example.pem alpn http/1.1": f"bind 127.0.0.1:{port}",
        "    server restante 127.0.0.1:8080": "\n".join(
            f"{node} check" if careful else node for node in nodes
        ),
    }
    if careful:
        changes |= {f"# {option}": option for option in ("option httpchk GET /readyz", "option redispatch 1")}
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "haproxy.cfg").write_text(text)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["haproxy", "-db", "-f", folder / "haproxy.cfg"], stdout=log, stderr=log)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}") or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def used(place: Site, url: str, seed: int) -> tuple[Book, list[str]]:
    """What people saw who come in by this address while one node after the other is replaced; and what is broken then."""

    async def whole() -> tuple[Book, list[str]]:
        load = Load([url], seed=seed)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_drained(place, seed, load.over))
                await load.run(for_s=FOR_S)
            print(load.book.told())
            return load.book, await judge(load)
        finally:
            load.over.set()
            await load.close()

    return asyncio.run(whole())


async def _drained(place: Site, seed: int, over: asyncio.Event) -> None:
    await weather.drained(place, random.Random(f"{seed} fault"), over, away_s=AWAY_S)


def noticed(book: Book) -> bool:
    """Whether people were turned away, or waited for a node that was not there."""
    turned_away = (book.answers["502"] + book.answers["503"]) / sum(book.answers.values())
    return turned_away > 0.01 or book.slowest_s > WAITS_S


def test_a_node_that_is_replaced_is_passed_over(tmp_path, weed, seed):
    with (
        site(tmp_path, count=2, seed=seed, weed=weed, **PROXY) as place,
        haproxy(tmp_path / "haproxy", place.urls, careful=True) as url,
    ):
        book, broken = used(place, url, seed)
    assert broken == []
    assert not noticed(book)
    assert len(book.acknowledged) > FOR_S


def test_without_looking_for_another_node_people_would_notice(tmp_path, weed, seed):
    """The control: a balancer that neither asks whether a node is there nor goes on to the next."""
    with (
        site(tmp_path, count=2, seed=seed, weed=weed, **PROXY) as place,
        haproxy(tmp_path / "haproxy", place.urls, careful=False) as url,
    ):
        book, _ = used(place, url, seed)
    assert noticed(book)
