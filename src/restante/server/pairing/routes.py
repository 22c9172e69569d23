"""Pairing over HTTP: parse, one call, shape."""

from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol import wire
from restante.server.config import Settings
from restante.server.keys import preconditions
from restante.server.keys.routes import IfMatch
from restante.server.limits.prefixes import prefix_of_request
from restante.server.pairing.service import Pairings
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor

AnyRequest = Request[Any, Any, Any]
_ETAG = ResponseHeader(
    name="ETag",
    value="",
    description="The keyring's new version, for If-Match.",
    required=True,
    documentation_only=True,
)

LOOKED_UP = (*SIGNED_IN, "pairing-expired", "rate-limited")


@post("/api/v1/pairings", tags=["pairing"], responses=refusals(*JSON_BODY, *CHANGE, "rate-limited"))
async def begin_pairing(
    data: JSONBody[wire.NewPairing],
    request: AnyRequest,
    pairings: NamedDependency[Pairings],
    settings: NamedDependency[Settings],
) -> wire.Pairing:
    """Lets a machine ask to be paired; it shows `/pair#<lookup>.<recipient>` and polls."""
    return await pairings.begin(data, prefix=_prefix(request, settings))


@post(
    "/api/v1/pairings/poll",
    tags=["pairing"],
    responses=refusals(
        *JSON_BODY, *CHANGE, "authorization-pending", "slow-down", "pairing-expired", "pairing-refused"
    ),
)
async def poll_pairing(
    data: JSONBody[wire.PairingPoll], pairings: NamedDependency[Pairings]
) -> wire.SignedIn:
    """Tells a machine what was decided: a session once somebody has approved, until then `authorization-pending`."""
    return await pairings.poll(data)


@get("/api/v1/pairings/{lookup:str}", tags=["pairing"], responses=refusals(*LOOKED_UP))
async def get_pairing(
    actor: NamedDependency[Actor],
    pairings: NamedDependency[Pairings],
    settings: NamedDependency[Settings],
    request: AnyRequest,
    lookup: FromPath[str],
) -> wire.PairingAsked:
    """Says which machine asks. Wrong lookups are limited per account and network."""
    return await pairings.asked(actor, lookup, prefix=_prefix(request, settings))


@post(
    "/api/v1/pairings/{lookup:str}/approval",
    tags=["pairing"],
    status_code=204,
    response_headers=[_ETAG],
    responses=refusals(
        *LOOKED_UP, *JSON_BODY, *CHANGE, "verification-needed", "stale-version", "precondition-required"
    ),
)
async def approve_pairing(
    actor: NamedDependency[Actor],
    pairings: NamedDependency[Pairings],
    settings: NamedDependency[Settings],
    request: AnyRequest,
    data: JSONBody[wire.PairingApproval],
    *,
    lookup: FromPath[str],
    if_match: IfMatch = None,
) -> Response[None]:
    """Stores the keyring that is sealed to the machine too, and lets it in. Needs a fresh verification."""
    precondition = preconditions.read(if_match, None)
    version = await pairings.approve(actor, lookup, data, precondition, prefix=_prefix(request, settings))
    return Response(None, status_code=204, headers={"etag": preconditions.etag(version)})


@delete("/api/v1/pairings/{lookup:str}", tags=["pairing"], responses=refusals(*LOOKED_UP, *CHANGE))
async def refuse_pairing(
    actor: NamedDependency[Actor],
    pairings: NamedDependency[Pairings],
    settings: NamedDependency[Settings],
    request: AnyRequest,
    lookup: FromPath[str],
) -> None:
    """Refuses: the machine is told so when it polls."""
    await pairings.refuse(actor, lookup, prefix=_prefix(request, settings))


def _prefix(request: AnyRequest, settings: Settings) -> str:
    return prefix_of_request(request.scope, settings.trusted_proxies)  # type: ignore[arg-type] # its own TypedDict


ROUTES: list[HTTPRouteHandler] = [begin_pairing, poll_pairing, get_pairing, approve_pairing, refuse_pairing]
