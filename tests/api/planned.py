"""People on a server with plans, in this process: uploads, sends, and what is told of plans."""

import os
from pathlib import Path
from typing import Any

import httpx

from tests.api.inside import Inside
from tests.api.parcels import TUS, Parcel, make_parcel, new_key

Head = dict[str, str]

TRIAL = """
currency = "usd"
start = "trial"
[[plan]]
id = "trial"
name = {en = "Trial", fr = "Essai"}
messages = 20
features = ["page"]
"""
PREMIUM = """
[[plan]]
id = "premium"
name = "Premium"
price = 4.99
period = "month"
stripe_price = "price_premium"
"""


def declare(folder: Path, text: str = TRIAL) -> Path:
    """Puts plans into a data folder; returns it."""
    (folder / "plans.toml").write_text(text)
    return folder


async def upload(inside: Inside, head: Head, data: bytes = b"x" * 100) -> str:
    created = await begin_upload(inside, head, len(data))
    assert created.status_code == 201, created.text
    piece = {**TUS, **head, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
    patched = await inside.client.patch(created.headers["location"], content=data, headers=piece)
    assert patched.status_code == 204, patched.text
    return str(created.headers["location"]).rpartition("/")[2]


async def begin_upload(inside: Inside, head: Head, length: int = 100) -> httpx.Response:
    headers = {**TUS, **head, "upload-length": str(length)}
    return await inside.client.post("/api/v1/uploads", headers=headers)


async def post(inside: Inside, head: Head, parcel: Parcel, key: str | None = None) -> httpx.Response:
    headers = {**head, "idempotency-key": key or new_key()}
    return await inside.client.post("/api/v1/messages", files=parcel.files(), headers=headers)


async def send_video(inside: Inside, head: Head, name: str, size: int = 100) -> Parcel:
    parcel = make_parcel(name, upload=await upload(inside, head, os.urandom(size)))
    answer = await post(inside, head, parcel)
    assert answer.status_code == 201, answer.text
    return parcel


async def standing(inside: Inside, head: Head) -> dict[str, Any]:
    answer = await inside.client.get("/api/v1/account/plan", headers=head)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told
