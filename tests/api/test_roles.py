"""Who may do what: eight roles at every operation of the contract, and no cell is other than expected.

A role that is refused gets the same answer as for what does not exist. What one may not see, no answer names. A new operation
that takes an id must say here how it is called, or the matrix does not run.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.server.db.tables import accounts, envelopes, push_subscriptions
from restante.server.messages import queries
from tests.api.inside import Inside, run
from tests.api.parcels import TUS, make_parcel, new_key
from tests.api.people import sealed, sign_up_form

CONTRACT = json.loads((Path(__file__).parents[2] / "protocol" / "openapi.json").read_text())
ROLES = ("nobody", "ended", "guest", "capability", "stranger", "former", "recipient", "sender")
"""Those who may least come first, so that what ends a thing is done last."""
SIGNED_IN = ("stranger", "former", "recipient", "sender")
STREAMS = {"live_channel"}
"""Answers without end: that the refused are refused can be asked, and nothing else."""
OWN_WORLD = {"delete_account", "revoke_all_sessions"}
"""What ends a role itself."""

OFTEN = "100000/1s"
Cell = tuple[str, str, int]
MESSAGE = {"sender": "yes", "recipient": "yes", "former": "gone"}
UPLOAD = {"sender": "yes", "capability": "yes"}
ALLOWED: dict[str, dict[str, str]] = {
    "get_message": MESSAGE,
    "get_details": MESSAGE,
    "get_video": MESSAGE,
    "head_video": MESSAGE,
    "mark_message": {"recipient": "yes", "former": "gone"},
    "forward_message": {"recipient": "yes", "former": "gone"},
    "add_link": {"sender": "yes"},
    "delete_message": {"sender": "yes"},
    "report_message": {"recipient": "yes", "former": "yes"},
    "revoke_link": {"sender": "yes"},
    "get_link_envelope": {"guest": "yes"},
    "get_link_details": {"guest": "yes"},
    "get_link_video": {"guest": "yes"},
    "head_link_video": {"guest": "yes"},
    "open_link": {},
    "begin_answer": {"guest": "yes"},
    "upload_offset": UPLOAD,
    "append_to_upload": UPLOAD,
    "terminate_upload": {"capability": "yes", "sender": "gone"},
    "revoke_session": {"sender": "yes"},
    "introduce_session": {},
    "remove_subscription": {"sender": "yes"},
    "decide_report": {},
    "open_report": {},
    "end_grant": {},
    "invite_waiting": {},
    "revoke_invite": {},
    "get_pairing": {},
    "approve_pairing": {},
    "refuse_pairing": {},
}
"""Operations on a thing: who may, and for whom it is gone; everybody else is refused."""
OWN = {"get_shard", "put_shard", "remove_way_in", "put_way_in"}
"""Their parameter names a thing of whoever asks."""
PUBLIC = {
    "get_name",
    "get_record",
    "get_records",
    "sign_in_salt",
    "problem_page",
    "get_page",
    "begin_call",
    "get_challenge",
    "ask_to_stop",
    "stop_mail",
    "hear_payment",
}
"""Their parameter names what everybody may ask for, or is a secret itself."""
BY_NAME = {"put_acquaintance"}
"""Notes of one's own about somebody."""


@dataclass
class World:
    """One message of a sender to two people, one of whom deleted it; an upload; a link that was opened once."""

    inside: Inside
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    container: str = ""

    async def make(self) -> None:
        mark = os.urandom(3).hex()
        for role in (*SIGNED_IN, "ended"):
            self.names[role] = f"{role}-{mark}"
            await self._sign_up(role)
        self.headers["nobody"] = {}
        assert (await self.call("ended", "DELETE", "/api/v1/sessions")).status_code == 204
        video = await self._upload(b"v" * 500, length=500)
        self.ids["upload_id"] = await self._upload(b"u" * 10, length=1000)
        parcel = make_parcel(self.names["recipient"], self.names["former"], upload=video, may_forward=True)
        posted = await self.call(
            "sender", "POST", "/api/v1/messages", files=parcel.files(), headers={"idempotency-key": new_key()}
        )
        assert posted.status_code == 201, posted.text
        self.ids["message_id"] = parcel.id
        gone = await self.call("former", "DELETE", f"/api/v1/messages/{parcel.id}?for=me")
        assert gone.status_code == 204
        await self._open_link()
        self.ids["subscription_id"] = await self._subscribe()
        self.ids["lookup"] = "a" * 16
        self.ids |= {"name": self.names["sender"], "shard": "contacts", "way_id": "passphrase"}
        self.ids["report_id"] = "rep_" + "a" * 26
        self.ids["grant_id"] = "grt_" + "a" * 26
        self.ids |= {"invite_id": "inv_" + "a" * 26, "waiting_id": "1"}
        self.ids |= {"code": "internal", "token": b64(os.urandom(32)), "provider": "stripe"}

    async def _sign_up(self, role: str) -> None:
        answer = await self.inside.client.post("/api/v1/accounts", json=sign_up_form(self.names[role]))
        assert answer.status_code == 201, answer.text
        self.headers[role] = {"authorization": f"Bearer {answer.json()['token']}"}
        if role == "sender":
            second = {
                "name": self.names[role],
                "type": "passphrase",
                "bearer": b64(hashlib.sha256(f"p:{self.names[role]}".encode()).digest()),
                "client": "cli",
            }
            signed_in = await self.inside.client.post("/api/v1/sign-in", json=second)
            self.ids["session_id"] = signed_in.json()["session_id"]

    async def _upload(self, data: bytes, *, length: int) -> str:
        created = await self.call(
            "sender", "POST", "/api/v1/uploads", headers={**TUS, "upload-length": str(length)}
        )
        assert created.status_code == 201, created.text
        piece = {**TUS, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
        location = created.headers["location"]
        assert (await self.call("sender", "PATCH", location, content=data, headers=piece)).status_code == 204
        self.headers["capability"] = {"authorization": f"Bearer {created.headers['upload-capability']}"}
        return str(location.rpartition("/")[2])

    async def _open_link(self) -> None:
        bearer = os.urandom(32)
        path = f"/api/v1/messages/{self.ids['message_id']}/links"
        made = await self.call("sender", "POST", path, json=new_link(bearer))
        assert made.status_code == 201, made.text
        self.ids["link_id"] = made.json()["id"]
        opened = await self.inside.client.post(
            f"/api/v1/links/{self.ids['link_id']}/opens", headers={"authorization": f"Bearer {b64(bearer)}"}
        )
        assert opened.status_code == 201, opened.text
        self.headers["guest"] = {"authorization": f"Bearer {opened.json()['token']}"}

    async def _subscribe(self) -> str:
        """Past the address check, which asks the network."""

        def work(connection: Any) -> str:
            owner = select(accounts.c.id).where(accounts.c.name == self.names["sender"])
            row = {
                "id": new_id(Prefix.PUSH),
                "account_id": connection.execute(owner).scalar_one(),
                "session_id": self.ids["session_id"],
                "endpoint": "https://push.example/x",
                "p256dh": b"x",
                "auth": b"x",
                "created_at": 0,
                "renewed_at": 0,
            }
            connection.execute(insert(push_subscriptions).values(row))
            return str(row["id"])

        return await self.inside.house.database.write(work)

    async def call(self, role: str, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {**request.pop("headers", {}), **self.headers[role]}
        return await self.inside.client.request(method, path, headers=headers, **request)

    def request_of(self, name: str) -> dict[str, Any]:
        """What makes the call pass every check but that of who asks."""
        piece = {**TUS, "upload-offset": "10", "content-type": "application/offset+octet-stream"}
        requests: dict[str, dict[str, Any]] = {
            "mark_message": {"json": {"mark": "fetched"}},
            "forward_message": {"json": {"envelopes": {self.names["ended"]: b64(sealed(300))}}},
            "add_link": {"json": new_link(os.urandom(32))},
            "delete_message": {"params": {"for": "everyone"}},
            "report_message": {
                "json": {"message": self.ids["message_id"], "reason": "other", "container": b64(b"x")}
            },
            "approve_pairing": {
                "json": {"keyring": b64(sealed(1000)), "device": new_id(Prefix.DEVICE)},
                "headers": {"if-match": '"x"'},
            },
            "create_upload": {"headers": {**TUS, "upload-length": "10"}},
            "upload_offset": {"headers": TUS},
            "append_to_upload": {"headers": piece, "content": b"more"},
            "terminate_upload": {"headers": TUS},
            "introduce_session": {"json": {"label": "x"}},
            "begin_answer": {"json": {}},
        }
        body = BODIES.get(name)
        return requests.get(name, {} if body is None else {"json": example(body)})


BODIES = {
    operation["operationId"]: operation["requestBody"]["content"]["application/json"]["schema"]
    for methods in CONTRACT["paths"].values()
    for operation in methods.values()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
}
"""Schemas of JSON bodies, by operation."""
WORDS = (
    "abc",
    "12345678",
    b64(bytes(32)),
    "x",
    "ann@post.example",
    "https://push.example/x",
    "22:00",
    "Europe/Paris",
    "a" * 16,
    "GB",
)


def example(schema: dict[str, Any]) -> Any:
    """The least that a schema takes, so that a refusal is about who asks."""
    if "$ref" in schema:
        return example(CONTRACT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for alternatives in ("anyOf", "oneOf", "allOf", "enum"):
        if alternatives in schema:
            first = schema[alternatives][0]
            return example(first) if isinstance(first, dict) else first
    kind = schema.get("type")
    if kind == "object":
        return {name: example(schema["properties"][name]) for name in schema.get("required", [])}
    if kind == "boolean":
        return False
    if kind == "array":
        return [example(schema["items"])] * schema.get("minItems", 0)
    return a_word(schema) if kind == "string" else schema.get("minimum", 0)


def a_word(schema: dict[str, Any]) -> str:
    """A text of the pattern and length that a schema asks for."""
    fits = [
        word
        for word in (*WORDS, *(new_id(prefix) for prefix in Prefix))
        if re.search(schema.get("pattern", ""), word)
        and schema.get("minLength", 0) <= len(word) <= schema.get("maxLength", 10**6)
    ]
    assert fits, schema
    return fits[0]


def new_link(bearer: bytes) -> dict[str, Any]:
    return {"bearer_sha256": b64(hashlib.sha256(bearer).digest()), "envelope": b64(sealed(300))}


def operations() -> list[tuple[str, str, str, bool]]:
    """Method, path, name, and whether a session is asked for; what ends things last."""
    found = [
        (method.upper(), path, operation["operationId"], bool(operation.get("security")))
        for path, methods in CONTRACT["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "head", "put", "post", "patch", "delete", "options")
    ]
    assert len(found) > 60
    return sorted(found, key=lambda each: (each[0] == "DELETE", "{session_id}" in each[1], each[1]))


def expected(name: str, path: str, role: str, *, guarded: bool) -> str:
    """`yes`, `gone`, `refused`, or `anybody`."""
    if name in ALLOWED:
        return ALLOWED[name].get(role, "refused")
    if not guarded or name == "begin_registration":
        assert "{" not in path or name in PUBLIC, f"{name}: say who may"
        return "anybody"
    assert "{" not in path or name in OWN | BY_NAME, f"{name}: say who may"
    return "yes" if role in SIGNED_IN else "refused"


def is_as(expectation: str, answer: httpx.Response, name: str) -> bool:
    is_problem = answer.content and "problem" in answer.headers.get("content-type", "")
    code = answer.json()["code"] if is_problem else ""
    if expectation == "gone":
        return answer.status_code == 410
    if expectation == "refused":
        lookup = name.endswith("_pairing") and code == "pairing-expired"
        is_over = code == "view-over" or (name.startswith("head_") and answer.status_code == 403)
        return lookup or is_over or answer.status_code in (401, 404)
    if answer.status_code >= 500:
        return False
    hidden = "{" in name or name in ALLOWED
    return expectation == "anybody" or answer.status_code not in ((401, 404, 410) if hidden else (401,))


async def unexpected(world: World, *, own_world: bool = False, only: str = "") -> list[Cell]:
    """Calls everything as everybody; lists the cells that are other than expected."""
    cells: list[Cell] = []
    for method, path, name, guarded in operations():
        if (name in OWN_WORLD) is not own_world or only not in path:
            continue
        for role in ROLES:
            wanted = expected(name, path, role, guarded=guarded)
            if name in STREAMS and wanted != "refused":
                continue
            target = re.sub(r"\{(\w+)\}", lambda match: world.ids[match[1]], path)
            answer = await world.call(role, method, target, **world.request_of(name))
            if not is_as(wanted, answer, name) or (wanted == "refused" and tells(world, answer, path)):
                cells.append((name, role, answer.status_code))
            if wanted == "yes" and role == "stranger" and tells(world, answer, path):
                cells.append((name, "stranger is told of what is the sender's", answer.status_code))
    return cells


def tells(world: World, answer: httpx.Response, path: str) -> bool:
    """Whether an answer names a thing that was not asked for by its name."""
    things = ("message_id", "upload_id", "link_id", "session_id", "subscription_id")
    secret = [world.ids[each] for each in things if f"{{{each}}}" not in path]
    return any(each in answer.text for each in secret)


def test_no_cell_is_unexpected(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        world = World(inside)
        await world.make()
        cells = await unexpected(world)
        assert not cells, "\n".join(map(str, cells))
        for name in sorted(OWN_WORLD):
            last = World(inside)
            await last.make()
            path = next(each[1] for each in operations() if each[2] == name)
            assert [
                cell for cell in await unexpected(last, own_world=True, only=path) if cell[0] == name
            ] == []

    run(tmp_path, scenario, rate_reports=OFTEN, rate_sends=OFTEN, rate_pairings=OFTEN)


def test_a_sown_hole_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a query that forgets to ask whose copy it is."""
    anybodys = (
        select(*queries.VIEW, envelopes.c.envelope)
        .select_from(queries._SOURCE)
        .where(queries._OF_THIS, envelopes.c.box == "inbox", queries._LIVES)
    )
    monkeypatch.setattr(queries, "_OWN_COPIES", anybodys)

    async def scenario(inside: Inside) -> None:
        world = World(inside)
        await world.make()
        found = {(name, role) for name, role, _ in await unexpected(world, only="/messages/{message_id}")}
        assert {("get_message", "stranger"), ("get_details", "stranger"), ("get_video", "stranger")} <= found

    run(tmp_path, scenario, rate_sends=OFTEN)
