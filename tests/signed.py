"""Requests to a bucket that only its owner makes, such as setting its rules, signed by AWS Signature Version 4."""

import hashlib
import hmac
from datetime import UTC, datetime

import httpx

from tests import seaweed
from tests.seaweed import Seaweed


def ask(weed: Seaweed, method: str, query: str, body: bytes = b"") -> httpx.Response:
    """Asks something of the whole bucket, such as ``lifecycle``."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/us-east-1/s3/aws4_request"
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": f"127.0.0.1:{weed.port}", "x-amz-content-sha256": digest, "x-amz-date": moment}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"{method}\n/{seaweed.BUCKET}\n{query}=\n{lines}\n{names}\n{digest}"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{seaweed.SECRET}".encode()
    for part in [*scope.split("/"), text]:
        key = hmac.digest(key, part.encode(), "sha256")
    signed = (
        f"AWS4-HMAC-SHA256 Credential={seaweed.KEY}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    url = f"http://127.0.0.1:{weed.port}/{seaweed.BUCKET}?{query}="
    with httpx.Client(trust_env=False) as client:
        return client.request(method, url, headers=headers | {"authorization": signed}, content=body)
