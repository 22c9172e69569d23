"""A witness as https://c2sp.org/tlog-witness wants it: on loopback, one log, refusing what it must refuse."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from restante.signing.keys import SigningKey
from restante.transparency.checkpoints import Checkpoint
from restante.transparency.errors import LogError
from restante.transparency.merkle import verify_consistency
from restante.transparency.notes import Algorithm, NoteKey, SignedNote, cosign

Answer = tuple[int, str, bytes]
TEXT = "text/plain"


@dataclass
class Witness:
    """Keeps the last checkpoint that it signed of the one log whose key it knows."""

    log_key: NoteKey
    name: str = "witness.example"
    signer: SigningKey = field(default_factory=SigningKey.generate)
    latest: Checkpoint | None = None
    is_there: bool = True
    asked: list[int] = field(default_factory=list)
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> NoteKey:
        return NoteKey(self.name, self.signer.public, Algorithm.COSIGNATURE)

    @property
    def setting(self) -> str:
        return f"{self.url} {self.key}"

    def judge(self, body: bytes) -> Answer:
        """One at a time: what was signed last is looked at and replaced in one go."""
        with self._lock:
            answer = self._judge(body)
        self.asked.append(answer[0])
        return answer

    def _judge(self, body: bytes) -> Answer:
        head, _, note = body.partition(b"\n\n")
        first, *lines = head.decode().split("\n")
        if not first.startswith("old "):
            return 400, TEXT, b""
        old, proof = int(first[4:]), [base64.b64decode(line, validate=True) for line in lines]
        try:
            checkpoint = Checkpoint.read(SignedNote.read(note).text_signed_by(self.log_key))
        except LogError:
            return 403, TEXT, b""
        return self._compare(old, checkpoint, proof, note)

    def _compare(self, old: int, checkpoint: Checkpoint, proof: list[bytes], note: bytes) -> Answer:
        if checkpoint.origin != self.log_key.name:
            return 404, TEXT, b""
        if old > checkpoint.size or len(proof) > 63:
            return 400, TEXT, b""
        known = self.latest.size if self.latest else 0
        is_other = self.latest and old == checkpoint.size and self.latest.root != checkpoint.root
        if old != known or is_other:
            return 409, "text/x.tlog.size", f"{known}\n".encode()
        if self.latest and not verify_consistency(
            old, checkpoint.size, proof, self.latest.root, checkpoint.root
        ):
            return 422, TEXT, b""
        self.latest = checkpoint
        return 200, TEXT, cosign(note, self.name, self.signer, time_s=int(time.time()))[len(note) :]


@contextmanager
def witnessing(witness: Witness) -> Iterator[Witness]:
    """Lets it listen; ``is_there`` decides whether it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            at_home = witness.is_there and self.path == "/log/add-checkpoint"
            status, kind, answer = witness.judge(body) if at_home else (503, TEXT, b"")
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    witness.url = f"http://127.0.0.1:{server.server_port}/log"
    try:
        yield witness
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
