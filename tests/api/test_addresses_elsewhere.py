"""What the library does with addresses that a server tells: it sends nobody's credentials there, believes none, and never loops."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from restante.client.downloads import ciphertext
from restante.client.errors import AnswerMalformed, ClientError
from restante.client.http import Session
from restante.client.retry import Retry
from restante.protocol import ijson
from restante.protocol.wire_messages import VIDEO_PIECES

DATA = bytes(range(256)) * 4
HASTY = Retry(patience_s=0.0)


class Liar(BaseHTTPRequestHandler):
    """A server and a bucket in one, whose every word the test chooses."""

    protocol_version = "HTTP/1.1"
    told: ClassVar[Any]
    bucket: ClassVar[Any]
    seen: ClassVar[list[dict[str, str]]]

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
        start = int(self.headers.get("range", "bytes=0-").partition("=")[2].partition("-")[0])
        if self.path.startswith("/bucket"):
            self.bucket(self, start)
        elif VIDEO_PIECES in self.headers.get("accept", ""):
            body = self.told(start)
            self.answer(200, body if isinstance(body, bytes) else ijson.encode(body), type_=VIDEO_PIECES)
        elif start:
            self.answer(206, DATA[start:], {"content-range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"})
        else:
            self.answer(200, DATA)

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, *, type_: str = "x/y"
    ) -> None:
        self.send_response_only(status)
        for name, value in (
            {"content-type": type_, "content-length": str(len(body))} | (headers or {})
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def right(handler: Liar, start: int) -> None:
    end = int(handler.headers["range"].rpartition("-")[2]) + 1
    handler.answer(206, DATA[512 if handler.path.endswith("2") else 0 :][start:end])


@pytest.fixture
def liar() -> Iterator[type[Liar]]:
    chosen = type("Chosen", (Liar,), {"seen": [], "bucket": staticmethod(right)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), chosen)
    chosen.url = f"http://127.0.0.1:{server.server_address[1]}"
    halves = [{"offset": 0, "size": 512, "url": f"{chosen.url}/bucket/1"}]
    halves.append({"offset": 512, "size": 512, "url": f"{chosen.url}/bucket/2"})
    chosen.halves = halves
    chosen.told = staticmethod(lambda start: {"pieces": halves[start // 512 :], "for_s": 300})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield chosen
    server.shutdown()
    thread.join()
    server.server_close()


def downloaded(liar: type[Liar]) -> bytes:
    with Session(liar.url, token="secret-of-somebody", retry=HASTY) as session:
        return b"".join(ciphertext(session, "msg_a", len(DATA)))


def test_pieces_are_joined_and_who_asks_stays_with_the_server(liar):
    assert downloaded(liar) == DATA
    asked, *there = liar.seen
    assert "secret-of-somebody" in asked["authorization"]
    assert [seen["path"] for seen in there] == ["/bucket/1", "/bucket/2"]
    assert all("authorization" not in seen and "cookie" not in seen for seen in there)


def refused(handler: Liar, _: int) -> None:
    handler.answer(403, b"<Error/>")


def cut(handler: Liar, start: int) -> None:
    handler.answer(206, DATA[start : start + 10])


def whole(handler: Liar, _: int) -> None:
    handler.answer(200, DATA)


def longer(handler: Liar, start: int) -> None:
    handler.answer(206, DATA[start:] + DATA)


def moved(handler: Liar, _: int) -> None:
    handler.answer(302, b"", {"location": f"{handler.url}/bucket/elsewhere"})  # type: ignore[attr-defined]


@pytest.mark.parametrize("bucket", [refused, cut, whole, longer, moved])
def test_a_bucket_that_is_no_good_ends_in_the_bytes_of_the_server(liar, bucket):
    liar.bucket = staticmethod(bucket)
    assert downloaded(liar)[-512:] == DATA[-512:]
    assert not [seen for seen in liar.seen if seen["path"] == "/bucket/elsewhere"], "never followed"
    assert len(liar.seen) < 250


@pytest.mark.parametrize("for_s", [1, 15])
def test_addresses_that_have_ended_already_lead_to_the_bytes(liar, for_s):
    liar.told = staticmethod(lambda _: {"pieces": liar.halves, "for_s": for_s})
    assert downloaded(liar) == DATA
    assert len(liar.seen) == 3


@pytest.mark.parametrize(
    "told",
    [
        b"no JSON",
        {"pieces": [], "for_s": 300},
        {"pieces": [{"offset": 512, "size": 512, "url": "http://127.0.0.1/"}], "for_s": 300},
        {
            "pieces": [{"offset": 0, "size": 5, "url": "x"}, {"offset": 6, "size": 5, "url": "x"}],
            "for_s": 300,
        },
        {"pieces": [{"offset": 0, "size": 0, "url": "x"}], "for_s": 300},
    ],
)
def test_what_cannot_be_addresses_of_it_is_refused(liar, told):
    liar.told = staticmethod(lambda _: told)
    with pytest.raises(AnswerMalformed):
        downloaded(liar)


@pytest.mark.parametrize(
    "url", ["http://bucket.example/1", "ftp://127.0.0.1/1", "https://user:secret@bucket.example/1", "nothing", "file:///etc/passwd"]
)  # fmt: skip
def test_no_address_leads_out_unprotected(liar, url):
    liar.told = staticmethod(lambda _: {"pieces": [{"offset": 0, "size": 1024, "url": url}], "for_s": 300})
    assert downloaded(liar) == DATA
    with Session(liar.url) as session, pytest.raises(ClientError), session.elsewhere(url, headers={}):
        pass
    secure = Session("https://restante.example")
    with secure, pytest.raises(AnswerMalformed), secure.elsewhere(f"{liar.url}/bucket/1", headers={}):
        pass
