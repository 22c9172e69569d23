"""Following the inbox: what arrives is shown at once, also after the server was away."""

import json
import time
from queue import Queue
from threading import Thread

import pytest


@pytest.fixture
def following(person, new_server):
    server = new_server()
    ann, bob = person("ann", at=server), person("bob", at=server)
    return ann, bob, server


def lines_of(process):
    """Reads lines beside the test, so that it can wait for one for a limited time."""
    lines = Queue()

    def read():
        for line in process.stdout:
            lines.put(line)

    Thread(target=read, daemon=True).start()
    return lines


def test_what_arrives_is_shown_once_and_within_seconds(following, clip):
    ann, bob, server = following
    first = ann.send("bob", clip)
    with bob.started("watch", "--follow", "--json") as process:
        lines = lines_of(process)
        assert json.loads(lines.get(timeout=30))["id"] == first
        second = ann.send("bob", clip, "--caption", "live")
        sent_s = time.monotonic()
        item = json.loads(lines.get(timeout=30))
        assert time.monotonic() - sent_s < 10
        assert (item["id"], item["caption"]) == (second, "live")
        server.kill()
        server.start()
        third = ann.send("bob", clip)
        assert json.loads(lines.get(timeout=30))["id"] == third
        assert process.poll() is None
        assert lines.empty()


def test_watch_wants_a_message_or_follows(person):
    ann = person()
    for words in (["watch"], ["watch", "1", "--follow"]):
        assert "restante watch --follow" in ann.run(*words).failed(code=2).err
