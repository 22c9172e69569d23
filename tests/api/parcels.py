"""Makes and sends messages as a client would; what is inside them, the server cannot tell."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from tests.api.people import Person, sealed

TUS = {"tus-resumable": "1.0.0"}


@dataclass(frozen=True)
class Parcel:
    """The parts of a send; ``message`` is the JSON part."""

    message: dict[str, Any]
    details: bytes
    envelopes: dict[str, bytes]
    sent: bytes = field(default_factory=lambda: sealed(300))

    @property
    def id(self) -> str:
        return str(self.message["id"])

    def but(self, **changes: Any) -> "Parcel":
        """The same parcel with another ``message`` field here and there."""
        return replace(self, message={**self.message, **changes})

    def files(self) -> list[tuple[str, tuple[None, bytes, str]]]:
        binary = "application/octet-stream"
        return [
            ("message", (None, json.dumps(self.message).encode(), "application/json")),
            ("details", (None, self.details, binary)),
            ("sent", (None, self.sent, binary)),
            *((f"envelope:{name}", (None, data, binary)) for name, data in self.envelopes.items()),
        ]


def make_parcel(*recipients: Person | str, **fields: Any) -> Parcel:
    names = [one if isinstance(one, str) else one.name for one in recipients]
    details = sealed(500)
    message = {
        "id": new_id(Prefix.MESSAGE),
        "kind": "video" if "upload" in fields else "text",
        "details_sha256": b64(hashlib.sha256(details).digest()),
        "recipients": names,
        **fields,
    }
    return Parcel(message, details, {name: sealed(400) for name in names})


def new_key() -> str:
    return os.urandom(12).hex()


def post(sender: Person, parcel: Parcel, key: str | None = None) -> httpx.Response:
    headers = {"idempotency-key": key or new_key()}
    return sender.client.post("/api/v1/messages", files=parcel.files(), headers=headers)


def send(sender: Person, *recipients: Person, **fields: Any) -> Parcel:
    """Sends a message that the server takes."""
    parcel = make_parcel(*recipients, **fields)
    answer = post(sender, parcel)
    assert answer.status_code == 201, answer.text
    return parcel


def make_upload(person: Person, data: bytes) -> str:
    """Uploads bytes to the end; returns the upload's id."""
    created = person.client.post("/api/v1/uploads", headers={**TUS, "upload-length": str(len(data))})
    assert created.status_code == 201, created.text
    location = created.headers["location"]
    piece = {**TUS, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
    patched = person.client.patch(location, content=data, headers=piece)
    assert patched.status_code == 204, patched.text
    return str(location).rpartition("/")[2]


def send_video(sender: Person, *recipients: Person, data: bytes | None = None, **fields: Any) -> Parcel:
    return send(sender, *recipients, upload=make_upload(sender, data or os.urandom(10_000)), **fields)


def inbox(person: Person, **params: Any) -> dict[str, Any]:
    return _list(person, "inbox", params)


def sent(person: Person, **params: Any) -> dict[str, Any]:
    return _list(person, "sent", params)


def get(person: Person, message_id: str, **params: Any) -> httpx.Response:
    return person.client.get(f"/api/v1/messages/{message_id}", params=params)


def mark(person: Person, message_id: str, what: str) -> httpx.Response:
    return person.client.post(f"/api/v1/messages/{message_id}/marks", json={"mark": what})


def delete(person: Person, message_id: str, whose: str) -> httpx.Response:
    return person.client.delete(f"/api/v1/messages/{message_id}", params={"for": whose})


def until(happens: Callable[[], bool], within_s: float = 30.0) -> float:
    """Waits for something; returns how long it took."""
    started_s = time.monotonic()
    while not happens():
        assert time.monotonic() - started_s < within_s, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - started_s


def _list(person: Person, box: str, params: dict[str, Any]) -> dict[str, Any]:
    answer = person.client.get(f"/api/v1/{box}", params=params)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page
