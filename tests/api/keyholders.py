"""People with passkeys, at an address that may have them."""

from collections.abc import Callable
from typing import Any, Self

import httpx

from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from tests.api.authenticator import RIGHT, Authenticator, Twist
from tests.api.people import new_client, new_name, sealed, sign_up_form
from tests.serving import Server

ORIGIN = "https://post.example"
HERE = {"host": "post.example", "origin": ORIGIN}
"""What a browser says at that address; the server is reached by another, as behind a proxy."""
PASSPHRASE = b"p" * 32
RECOVERY = b"r" * 32


def visitor(server: Server, token: str | None = None, *, origin: str = ORIGIN) -> httpx.Client:
    """A client that says what a browser says."""
    client = new_client(server.url, token)
    client.headers.update({"host": origin.partition("://")[2], "origin": origin})
    return client


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Posts what is to be taken."""
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


def recovery(bearer: bytes = RECOVERY) -> dict[str, Any]:
    return {"type": "recovery", "bearer": b64(bearer)}


def passphrase(bearer: bytes = PASSPHRASE) -> dict[str, Any]:
    return {"type": "passphrase", "bearer": b64(bearer), "salt": b64(bytes(16))}


def passkey_unlock(
    client: httpx.Client, device: Authenticator, name: str, *, alg: int = -7, twist: Twist = RIGHT
) -> dict[str, Any]:
    """The entry of a sign-up for a passkey that was made for it."""
    begun = post(client, "passkeys/registration", {"name": name})
    credential = device.create(begun["options"], client.headers["origin"], alg=alg, twist=twist)
    return {
        "type": "passkey",
        "ceremony": begun["ceremony"],
        "credential": credential,
        "label": "This laptop",
        "mid": new_id(Prefix.METHOD),
    }


def form_of(name: str, *unlock: dict[str, Any], client: str = "cli") -> dict[str, Any]:
    return sign_up_form(name, client=client) | {"unlock": list(unlock)}


class Keyholder:
    """Somebody whose account has a passkey, a recovery code and perhaps a passphrase."""

    def __init__(
        self, server: Server, device: Authenticator | None = None, *more: dict[str, Any], alg: int = -7
    ) -> None:
        self.server = server
        self.name = new_name("key")
        self.device = device or Authenticator()
        with visitor(server) as nobody:
            unlock = passkey_unlock(nobody, self.device, self.name, alg=alg)
            form = form_of(self.name, unlock, recovery(), *more)
            signed_in = post(nobody, "accounts", form)
        self.mid: str = unlock["mid"]
        self.keyring = unb64(form["keyring"])
        self.token: str = signed_in["token"]
        self.acct: str = signed_in["acct"]
        self.client = visitor(server, self.token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def sign_in(self, **changes: Any) -> httpx.Response:
        return sign_in(self.server, self.device, **changes)

    def show(self, twist: Twist = RIGHT) -> dict[str, Any]:
        """Ceremony and credential of a passkey that is shown."""
        begun = post(self.client, "passkeys/assertion", {})
        return {
            "ceremony": begun["ceremony"],
            "credential": self.device.get(begun["options"], ORIGIN, twist=twist),
        }

    def etag(self) -> str:
        answer = self.client.get("/api/v1/account/keyring")
        assert answer.status_code == 200
        return answer.headers["etag"]

    def change(self, method: str, path: str, body: dict[str, Any], etag: str | None = None) -> httpx.Response:
        """Changes a way in, with a fresh keyring unless the body brings one."""
        body = {"keyring": b64(sealed(900))} | body
        headers = {"if-match": self.etag() if etag is None else etag}
        return self.client.request(method, f"/api/v1/account/ways-in/{path}", json=body, headers=headers)

    def new_passkey(self, device: Authenticator | None = None) -> dict[str, Any]:
        """What is posted to add one more passkey."""
        begun = post(self.client, "passkeys/registration", {})
        return {
            "ceremony": begun["ceremony"],
            "credential": (device or self.device).create(begun["options"], ORIGIN),
            "label": "Telephone",
            "mid": new_id(Prefix.METHOD),
        }

    def ways(self) -> list[str]:
        return [way["id"] for way in self.client.get("/api/v1/account/ways-in").json()["items"]]


def sign_in(
    server: Server,
    device: Authenticator,
    *,
    twist: Twist = RIGHT,
    origin: str = ORIGIN,
    spoil: Callable[[dict[str, Any]], dict[str, Any]] = lambda form: form,
    which: int = -1,
) -> httpx.Response:
    """Signs in by a passkey from nowhere, with one touch and no name."""
    with visitor(server, origin=origin) as nobody:
        begun = post(nobody, "passkeys/assertion", {})
        credential = device.get(begun["options"], origin, which=which, twist=twist)
        form = {"ceremony": begun["ceremony"], "credential": credential, "client": "cli"}
        return nobody.post("/api/v1/sign-in/passkey", json=spoil(form))
