"""Makes accounts on a running server, as a client would, without encrypting anything: the server cannot tell."""

import hashlib
import os
import ssl
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from restante.protocol.encoding import b64, unb64
from restante.signing import records
from restante.signing.keys import SigningKey
from tests.serving import Server

SERVER_NAME = "localhost"
RECIPIENT = "age1pq1" + "q" * 1952
AGE = b"age-encryption.org/v1\n"
YEAR_MS = 365 * 24 * 3600 * 1000

TLS = ssl.create_default_context()
"""For every client of the tests: building one takes longer than any request here."""
_numbers: Iterator[int] = count(1)


def new_name(stem: str = "p") -> str:
    """A name that nobody has: a run's own."""
    return f"{stem}-{os.getpid():x}-{next(_numbers)}-{os.urandom(2).hex()}"


def new_client(url: str, token: str | None = None) -> httpx.Client:
    """A client without environment, proxy or cookie of anyone."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=url, headers=headers, verify=TLS, trust_env=False, timeout=30)


def sealed(size: int = 100) -> bytes:
    """Bytes that look like an age file from outside, fresh each time."""
    return (AGE + os.urandom(max(0, size - len(AGE))))[:size]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def encryption_key(number: int = 1) -> records.EncryptionKey:
    now = now_ms()
    return records.EncryptionKey(id=f"enc_{number}", recipient=RECIPIENT, from_=now, until=now + YEAR_MS)


@dataclass(frozen=True)
class Person:
    """Somebody with an account; the client is signed in and closes with the person."""

    url: str
    name: str
    token: str
    session_id: str
    key: SigningKey = field(repr=False)
    record: bytes = field(repr=False)
    keyring: bytes = field(repr=False)
    passphrase_bearer: bytes = field(repr=False)
    recovery_bearer: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    client: httpx.Client = field(repr=False, compare=False)

    @property
    def acct(self) -> str:
        return f"{self.name}@{SERVER_NAME}"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def sign_in(self, **changes: Any) -> httpx.Response:
        """Signs in again from nowhere; keywords change the form."""
        form = {
            "name": self.name,
            "type": "passphrase",
            "bearer": b64(self.passphrase_bearer),
            "client": "cli",
            **changes,
        }
        with new_client(self.url) as nobody:
            return nobody.post("/api/v1/sign-in", json=form)


def sign_up_form(name: str, *, key: SigningKey | None = None, client: str = "cli") -> dict[str, Any]:
    """A sign-up that the server takes; tests spoil parts of it."""
    key = key or SigningKey.generate()
    record = records.build(key, f"{name}@{SERVER_NAME}", [encryption_key()], now_ms=now_ms())
    return {
        "name": name,
        "record": b64(record),
        "keyring": b64(sealed(1000)),
        "unlock": [
            {"type": "passphrase", "bearer": b64(_bearer(name, "p")), "salt": b64(_bearer(name, "s")[:16])},
            {"type": "recovery", "bearer": b64(_bearer(name, "r"))},
        ],
        "client": client,
    }


def make_account(url: str, name: str | None = None) -> Person:
    """Signs somebody up over HTTP."""
    name = name or new_name()
    key = SigningKey.generate()
    form = sign_up_form(name, key=key)
    with new_client(url) as nobody:
        answer = nobody.post("/api/v1/accounts", json=form)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    client = new_client(url, body["token"])
    person = Person(
        url=url,
        name=name,
        token=body["token"],
        session_id=body["session_id"],
        key=key,
        record=unb64(form["record"]),
        keyring=unb64(form["keyring"]),
        passphrase_bearer=_bearer(name, "p"),
        recovery_bearer=_bearer(name, "r"),
        salt=_bearer(name, "s")[:16],
        client=client,
    )
    weakref.finalize(person, client.close)
    return person


def has_ended(server: Server, client: httpx.Client) -> None:
    """Waits until no node believes the client's session any more; one process alone never does for a moment."""
    over(server, lambda: client.get("/api/v1/sessions"))


def over(server: Server, ask: Callable[[], httpx.Response]) -> None:
    """Waits until every node says that it has ended; one process alone, which may not lag, is not waited for."""
    deadline, refused = time.monotonic() + server.lags_s, 0
    while refused < server.processes and time.monotonic() < deadline:
        refused = refused + 1 if ask().status_code in {401, 410} else 0


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Checks the one shape of all errors and returns it."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"/problems/{code}"
    assert problem["instance"] == answer.headers["x-request-id"]
    assert problem["title"]
    return problem


def _bearer(name: str, what: str) -> bytes:
    return hashlib.sha256(f"{what}:{name}".encode()).digest()
