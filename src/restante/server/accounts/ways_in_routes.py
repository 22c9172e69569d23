"""Ways in of the account that is signed in, and showing anew who one is."""

from typing import Any, cast

from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol import wire
from restante.server.accounts.ways_in import WaysIn
from restante.server.errors import Refusal
from restante.server.keys import preconditions
from restante.server.keys.routes import IfMatch
from restante.server.log import Log
from restante.server.passkeys.shapes import PasskeyRefused
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor

_ETAG = ResponseHeader(
    name="ETag",
    value="",
    description="The keyring's new version, for If-Match.",
    required=True,
    documentation_only=True,
)
_CHANGES = (
    *SIGNED_IN,
    *CHANGE,
    *JSON_BODY,
    "verification-needed",
    "not-found",
    "stale-version",
    "precondition-required",
)


@get("/api/v1/account/ways-in", tags=["ways in"], responses=refusals(*SIGNED_IN))
async def list_ways_in(actor: NamedDependency[Actor], ways_in: NamedDependency[WaysIn]) -> wire.WaysIn:
    """Lists the ways in: passkeys, oldest first, then passphrase and recovery code."""
    return await ways_in.list(actor)


@put(
    "/api/v1/account/ways-in/{way_id:str}",
    tags=["ways in"],
    status_code=204,
    response_headers=[_ETAG],
    responses=refusals(*_CHANGES, "method-not-allowed"),
)
async def put_way_in(
    actor: NamedDependency[Actor],
    ways_in: NamedDependency[WaysIn],
    data: JSONBody[wire.PutWayIn],
    *,
    way_id: FromPath[str],
    if_match: IfMatch = None,
) -> Response[None]:
    """Adds or replaces the `passphrase`, or replaces the `recovery` code, and the keyring with it; the old one ends at once."""
    if way_id not in {"passphrase", "recovery"}:
        raise Refusal("not-found")
    precondition = preconditions.read(if_match, None)
    return _stored(await ways_in.put(actor, cast("wire.UnlockType", way_id), data, precondition))


@post(
    "/api/v1/account/ways-in/passkeys",
    tags=["ways in"],
    status_code=204,
    response_headers=[_ETAG],
    responses=refusals(*_CHANGES, "passkey-refused"),
)
async def add_passkey(
    actor: NamedDependency[Actor],
    ways_in: NamedDependency[WaysIn],
    data: JSONBody[wire.AddPasskey],
    if_match: IfMatch = None,
) -> Response[None]:
    """Adds a passkey, and the keyring with it."""
    return _stored(await ways_in.add_passkey(actor, data, preconditions.read(if_match, None)))


@delete(
    "/api/v1/account/ways-in/{way_id:str}",
    tags=["ways in"],
    status_code=204,
    response_headers=[_ETAG],
    responses=refusals(*_CHANGES, "last-way-in", "method-not-allowed"),
)
async def remove_way_in(
    actor: NamedDependency[Actor],
    ways_in: NamedDependency[WaysIn],
    data: JSONBody[wire.RemoveWayIn],
    *,
    way_id: FromPath[str],
    if_match: IfMatch = None,
) -> Response[None]:
    """Removes a passkey or the passphrase, and stores the keyring without it; the recovery code and one more way in stay."""
    return _stored(await ways_in.remove(actor, way_id, data, preconditions.read(if_match, None)))


@post(
    "/api/v1/account/verification",
    tags=["ways in"],
    status_code=200,
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "sign-in-refused", "passkey-refused", "rate-limited"),
)
async def verify(
    actor: NamedDependency[Actor],
    ways_in: NamedDependency[WaysIn],
    data: JSONBody[wire.Verification],
    *,
    request: Request[Any, Any, Any],
    log: NamedDependency[Log],
) -> wire.Verified:
    """Shows anew who one is, for changes of ways in, devices and keys within the next five minutes."""
    try:
        return await ways_in.verify(actor, data)
    except Refusal as refusal:
        reason = refusal.reason if isinstance(refusal, PasskeyRefused) else ""
        request_id = str(request.scope["request_id"])  # type: ignore[typeddict-item] # put there by the guard
        log.event("verification-failed", request_id=request_id, code=refusal.entry.code, reason=reason)
        raise


def _stored(version: str) -> Response[None]:
    return Response(None, status_code=204, headers={"etag": preconditions.etag(version)})


ROUTES: list[HTTPRouteHandler] = [
    list_ways_in,
    put_way_in,
    add_passkey,
    remove_way_in,
    verify,
]
