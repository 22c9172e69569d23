"""The other promises of a server: accounts, sessions, keyrings, shards, records, removed uploads."""

from typing import Any

import httpx

from restante.protocol.encoding import b64, unb64
from restante.signing import records
from restante.signing.keys import SigningKey
from tests.anomaly.world import TUS, Door, Headers, Ledger, Pair
from tests.api.people import encryption_key, now_ms, sealed, sign_up_form

ROUNDS = 2


async def keep_house(door: Door, pair: Pair, ledger: Ledger, *, seed: int) -> None:
    """Does each kind of change a few times, and writes down what was acknowledged."""
    for number in range(ROUNDS):
        name, key = f"p{seed:x}-{number}", SigningKey.generate()
        form = sign_up_form(name, key=key)
        answer = await door.client.post("/api/v1/accounts", json=form)
        if answer.is_success:
            ledger.accounts[name] = form
            headers = {"authorization": f"Bearer {answer.json()['token']}"}
            await _change_keys(door, ledger, name, headers, key, unb64(form["record"]))
            await _sign_in_and_out(door, ledger, form)
        await _remove_upload(door, pair, ledger)


async def check_house(door: Door, pair: Pair, ledger: Ledger) -> list[str]:
    """Asks whether these promises hold; returns the broken ones in words."""
    broken = []
    for name, form in ledger.accounts.items():
        answer = await door.client.post("/api/v1/sign-in", json=_sign_in_form(form))
        if not answer.is_success:
            broken.append(f"account {name}: sign-in answers {answer.status_code}")
            continue
        headers = {"authorization": f"Bearer {answer.json()['token']}"}
        for place, values in ledger.stored.get(name, {}).items():
            found = await door.client.get(place.format(name=name), headers=headers)
            content = unb64(found.json()["record"]) if "record" in place else found.content
            if content not in values:
                broken.append(f"account {name}: {place} lost an acknowledged change ({found.status_code})")
    for token in ledger.ended_tokens:
        answer = await door.client.get("/api/v1/sessions", headers={"authorization": f"Bearer {token}"})
        if answer.status_code != 401:
            broken.append(f"an ended session answers {answer.status_code}")
    for upload_id in ledger.removed_uploads:
        answer = await door.client.head(f"/api/v1/uploads/{upload_id}", headers={**TUS, **pair.ann})
        if answer.status_code != 410:
            broken.append(f"a removed upload answers {answer.status_code}")
    return broken


async def _change_keys(
    door: Door, ledger: Ledger, name: str, headers: Headers, key: SigningKey, record: bytes
) -> None:
    stored = ledger.stored.setdefault(name, {})
    for place in ("/api/v1/account/keyring", "/api/v1/account/state/contacts"):
        for _ in range(ROUNDS):
            etag = await _etag(door, place, headers)
            condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
            await _put(door, stored, place, headers | condition, sealed(800))
    raw = records.build(
        key, f"{name}@localhost", [encryption_key(2)], now_ms=now_ms(), previous=records.read(record)
    )
    place = "/api/v1/accounts/{name}/record"
    stored[place] = [record, raw]
    answer = await door.client.put("/api/v1/account/record", headers=headers, json={"record": b64(raw)})
    if answer.is_success:
        stored[place] = [raw]


async def _put(
    door: Door, stored: dict[str, list[bytes]], place: str, headers: Headers, content: bytes
) -> None:
    """Until the answer is there, both the old and the new content are right."""
    if place in stored:
        stored[place] = [*stored[place][-1:], content]
    answer = await door.client.put(
        place, headers=headers | {"content-type": "application/octet-stream"}, content=content
    )
    if answer.is_success:
        stored[place] = [content]


async def _etag(door: Door, place: str, headers: Headers) -> str | None:
    return (await door.client.get(place, headers=headers)).headers.get("etag")


async def _sign_in_and_out(door: Door, ledger: Ledger, form: dict[str, Any]) -> None:
    answer = await door.client.post("/api/v1/sign-in", json=_sign_in_form(form))
    if not answer.is_success:
        return
    token = answer.json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    if (await door.client.delete("/api/v1/sessions/current", headers=headers)).is_success:
        ledger.ended_tokens.append(token)


async def _remove_upload(door: Door, pair: Pair, ledger: Ledger) -> None:
    created: httpx.Response = await door.client.post(
        "/api/v1/uploads", headers={**TUS, **pair.ann, "Upload-Length": "5"}
    )
    if not created.is_success:
        return
    removed = await door.client.delete(created.headers["location"], headers={**TUS, **pair.ann})
    if removed.is_success:
        ledger.removed_uploads.append(created.headers["location"].rpartition("/")[2])


def _sign_in_form(form: dict[str, Any]) -> dict[str, Any]:
    unlock = form["unlock"][0]
    return {"name": form["name"], "type": unlock["type"], "bearer": unlock["bearer"], "client": "cli"}
