"""Our own server as `restante serve` starts it, and the steps of one message in its protocol."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from bench.harness.films import Film
from bench.harness.http import Answer, Connection, Unexpected
from bench.harness.processes import Running
from bench.harness.tus import Tus
from bench.peers.servers import data_folder
from restante.protocol import limits
from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id, new_secret
from tests.api.people import Person, make_account, sealed
from tests.serving import serving

UNFINISHED = limits.UNFINISHED_UPLOADS
API = "/api/v1"
ENVELOPE_BYTES, DETAILS_BYTES = 6_000, 20_000
"""What a message for one recipient and a poster weigh."""
PIECE = 1 << 20


@contextlib.contextmanager
def ours(*, durability: str) -> Iterator["House"]:
    """Serves from a fresh data folder."""
    with (
        data_folder(f"restante-{durability}") as folder,
        serving(folder / "data", RESTANTE_DURABILITY=durability) as server,
    ):
        assert server.process is not None
        yield House(Running(server.port, server.process.pid), server.url)


@dataclass(frozen=True)
class House:
    """A running server of ours."""

    server: Running
    url: str

    def tus(self, name: str) -> Tus:
        """Its upload side, for a new account."""
        return _uploads(self.server, make_account(self.url), name)

    def pair(self) -> "Pair":
        """Two new accounts with their connections."""
        return Pair(self.server, make_account(self.url), make_account(self.url))

    def store_video(self, video: Film) -> tuple[str, dict[str, str]]:
        """Sends a message with the video and returns its path and the headers that its recipient asks with."""
        with contextlib.closing(self.pair()) as pair:
            message = pair.send(video)
            return f"{API}/messages/{message}/video", pair.recipient.headers


class Pair:
    """A sender and a recipient whose live channel is open."""

    def __init__(self, server: Running, sender: Person, recipient: Person) -> None:
        self.sender, self.recipient = sender, recipient
        self._uploads = _uploads(server, sender, "restante")
        self._sending, self._receiving, self._told = (Connection(server.port) for _ in range(3))
        self._told.open_stream(f"{API}/events", recipient.headers)
        self._since = 0

    def close(self) -> None:
        for connection in (self._sending, self._receiving, self._told):
            connection.close()

    def moved(self) -> tuple[int, int]:
        """Bytes to and from the nodes, and elsewhere."""
        every = (self._sending, self._receiving, self._told)
        return sum(one.sent + one.received for one in every), 0

    def exchange(self, video: Film) -> None:
        """One message: upload, send, be told, fetch envelope, details and video, mark it."""
        self.receive(self.send(video), video)

    def receive(self, message: str, video: Film) -> None:
        """The recipient's half of an exchange."""
        while json.loads(self._told.next_event()["data"]) != {"kind": "message", "id": message}:
            pass  # what was marked before is told, too
        items = json.loads(self._get(f"inbox?since={self._since}").body)["items"]
        self._since = max(item["change"] for item in items)
        if not any(item["id"] == message and item["envelope"] for item in items):
            raise Unexpected("the message is not in the inbox")
        self._get(f"messages/{message}/details")
        got = self._get(f"messages/{message}/video", drop=True)
        if got.size != video.size:
            raise Unexpected(f"{got.size} bytes of {video.size}")
        headers = {**self.recipient.headers, "Content-Type": "application/json"}
        target = f"{API}/messages/{message}/marks"
        self._receiving.ask("POST", target, headers, b'{"mark":"fetched"}').expect(200, 201, 204)

    def send(self, video: Film) -> str:
        """Uploads the open file in pieces and sends it; returns the message's id."""
        return self.post(self.upload(video))

    def upload(
        self,
        video: Film,
        *,
        piece: int = PIECE,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> str:
        """Uploads the open file, each piece within what ``around`` makes; returns the upload's path."""
        size = video.size
        upload = self._uploads.create(self._sending, size)
        for start in range(0, size, piece):
            with around():
                self._uploads.append(
                    self._sending, upload, video, start=start, count=min(piece, size - start)
                )
        return upload

    def post(self, upload: str) -> str:
        """Sends what was uploaded; returns the message's id."""
        message, details = new_id(Prefix.MESSAGE), sealed(DETAILS_BYTES)
        content = {
            "id": message,
            "kind": "video",
            "details_sha256": b64(hashlib.sha256(details).digest()),
            "recipients": [self.recipient.name],
            "upload": upload.rpartition("/")[2],
        }
        parts = {
            "message": json.dumps(content).encode(),
            "details": details,
            "sent": sealed(ENVELOPE_BYTES),
            f"envelope:{self.recipient.name}": sealed(ENVELOPE_BYTES),
        }
        boundary = os.urandom(16).hex()
        headers = {
            **self.sender.headers,
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Idempotency-Key": b64(new_secret()),
        }
        self._sending.ask("POST", f"{API}/messages", headers, _multipart(parts, boundary)).expect(201)
        return message

    def _get(self, target: str, *, drop: bool = False) -> Answer:
        answer = self._receiving.ask("GET", f"{API}/{target}", self.recipient.headers, drop=drop)
        return answer.expect(200)


def _uploads(server: Running, person: Person, name: str) -> Tus:
    return Tus(name, server, f"{API}/uploads", person.headers)


def _multipart(parts: dict[str, bytes], boundary: str) -> bytes:
    pieces = []
    for name, content in parts.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        pieces += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", content, b"\r\n"]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])
