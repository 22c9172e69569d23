"""One client for every tus server: they differ only in where uploads are created and what a request must carry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.harness.films import Film
from bench.harness.http import Connection
from bench.harness.processes import Running

_TUS = {"Tus-Resumable": "1.0.0"}
_BYTES = {"Content-Type": "application/offset+octet-stream"}
_NAMED = {"Upload-Metadata": "filename YQ==,filetype YQ=="}  # tuspyserver asks for both


@dataclass(frozen=True)
class Tus:
    """A tus server and the headers that its requests need."""

    name: str
    server: Running
    path: str = "/files"
    headers: Mapping[str, str] = field(default_factory=dict)

    def create(self, connection: Connection, size: int | None) -> str:
        """Creates an upload, of unknown length without a size, and returns its path."""
        length = {"Upload-Defer-Length": "1"} if size is None else {"Upload-Length": str(size)}
        answer = connection.ask("POST", self.path, {**_TUS, **_NAMED, **length, **self.headers}).expect(201)
        return urlsplit(answer.headers["location"]).path

    def append(
        self,
        connection: Connection,
        upload: str,
        film: Film,
        *,
        start: int,
        count: int,
        at: int | None = None,
    ) -> None:
        """Sends bytes of the film; ``at`` is the upload's offset where it is not the film's."""
        offset = start if at is None else at
        headers = {**_TUS, **_BYTES, **self.headers, "Upload-Offset": str(offset)}
        answer = connection.send_file("PATCH", upload, headers, film, start=start, count=count).expect(204)
        assert answer.headers["upload-offset"] == str(offset + count)

    def delete(self, connection: Connection, upload: str) -> None:
        connection.ask("DELETE", upload, {**_TUS, **self.headers}).expect(204)
