"""What a bucket does to objects by itself, and whom it answers: asked at the start, since it is noticed too late otherwise.

Rules are asked for by one request signed with AWS Signature Version 4 (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html);
a key that may not see them is no fault. Then what a store says of a single object counts (``x-amz-expiration``).
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

import httpx

from restante.protocol.limits import MIB
from restante.server.blobs.objects import Bucket

_CLOCKS_S = 120
"""So much the clocks may differ: addresses live for minutes."""
_ANSWER_S = 10.0
_ASLEEP = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Where objects are that are not read within a moment."""


def faults(bucket: Bucket, *, key: str, secret: str, probe: str) -> Iterator[str]:
    """What would end badly, a sentence each; ``probe`` is a signed address of an object that is there."""
    with httpx.Client(timeout=_ANSWER_S, follow_redirects=False) as client:
        rules = _lifecycle(client, bucket, key, secret)
        if rules is not None:
            yield from (_would(name) for name in harmful(rules, below=f"{bucket.prefix}/".lstrip("/")))
        answer = _asked(client, "GET", probe)
        if answer is None:
            return
        if rules is None and "x-amz-expiration" in answer.headers:
            yield _would(answer.headers["x-amz-expiration"])
        apart_s = _apart_s(answer)
        if abs(apart_s) > _CLOCKS_S:
            yield f"this machine's clock is {abs(apart_s) / 60:.0f} minutes {'ahead' if apart_s > 0 else 'behind'} of the bucket's: set it"


def refusals(bucket: Bucket, *, probe: str, origins: tuple[str, ...]) -> Iterator[str]:
    """Why clients could not read from the bucket themselves; what cannot be reached from here may be from elsewhere."""
    parts = urlsplit(bucket.readable_at)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
        yield "clients read by https only: give it an endpoint, or `public`, that has it"
        return
    with httpx.Client(timeout=_ANSWER_S, follow_redirects=False) as client:
        answer = _asked(client, "GET", probe)
        if answer is None:
            return
        if answer.status_code != httpx.codes.OK:
            yield f"it answers {answer.status_code} to the addresses that the server signs: does `public` lead to the same bucket under its own name?"
            return
        for origin in origins:
            asked = {
                "origin": origin,
                "access-control-request-method": "GET",
                "access-control-request-headers": "range",
            }
            answer = _asked(client, "OPTIONS", probe, asked)
            if answer is not None and not _lets(answer, origin):
                yield f"it does not let pages of {origin} read (CORS): allow GET with the header Range from there"


def harmful(rules: bytes, *, below: str) -> list[str]:
    """Names the lifecycle rules that would remove what is below the prefix, or put it where it is not read at once."""
    try:
        root = ET.fromstring(rules)  # noqa: S314 - the operator's own store says it, a megabyte at most
    except ET.ParseError:
        return []
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return [
        rule.findtext("ID") or "without a name"
        for rule in root.iter("Rule")
        if rule.findtext("Status") == "Enabled" and _concerns(rule, below) and _harms(rule)
    ]


def _concerns(rule: ET.Element, below: str) -> bool:
    """Objects here have no tags."""
    if rule.find(".//Tag") is not None:
        return False
    prefix = next((found.text or "" for found in rule.iter("Prefix")), "")
    return below.startswith(prefix) or prefix.startswith(below)


def _harms(rule: ET.Element) -> bool:
    expiration = rule.find("Expiration")
    ends = expiration is not None and any(expiration.find(how) is not None for how in ("Days", "Date"))
    return ends or any(move.findtext("StorageClass") in _ASLEEP for move in rule.iter("Transition"))


def _would(rule: str) -> str:
    return f"a lifecycle rule would take videos away ({rule}): end it, or let it leave the prefix of RESTANTE_BLOB_URL alone"


def _lets(answer: httpx.Response, origin: str) -> bool:
    return answer.is_success and answer.headers.get("access-control-allow-origin", "") in {"*", origin}


def _apart_s(answer: httpx.Response) -> float:
    try:
        told = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return 0.0
    return (datetime.now(UTC) - told).total_seconds()


def _asked(
    client: httpx.Client, method: str, url: str, headers: dict[str, str] | None = None
) -> httpx.Response | None:
    """None when nobody answers."""
    try:
        return client.request(method, url, headers=headers)
    except httpx.TransportError:
        return None


def _lifecycle(client: httpx.Client, bucket: Bucket, key: str, secret: str) -> bytes | None:
    """The rules as XML, empty when there are none; None when they are not told."""
    url = f"{bucket.host}/{quote(bucket.name)}?lifecycle="
    answer = _asked(client, "GET", url, signed(bucket, key=key, secret=secret, now=datetime.now(UTC)))
    if answer is None or len(answer.content) > MIB:
        return None
    if answer.status_code == httpx.codes.NOT_FOUND:
        return b""
    return answer.content if answer.status_code == httpx.codes.OK else None


def signed(bucket: Bucket, *, key: str, secret: str, now: datetime) -> dict[str, str]:
    """The headers of a GET of the bucket's lifecycle rules."""
    moment, nothing = now.strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256().hexdigest()
    scope = f"{moment[:8]}/{bucket.region}/s3/aws4_request"
    headers = {
        "host": urlsplit(bucket.host).netloc,
        "x-amz-content-sha256": nothing,
        "x-amz-date": moment,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n/{quote(bucket.name)}\nlifecycle=\n{lines}\n{names}\n{nothing}"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        signature = hmac.digest(signature, part.encode(), "sha256")
    credential = f"Credential={key}/{scope}, SignedHeaders={names}, Signature={signature.hex()}"
    return headers | {"authorization": f"AWS4-HMAC-SHA256 {credential}"}
