"""Ceremonies of passkeys, and where password managers learn of them."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from restante.protocol import wire_passkeys as wire
from restante.server.asgi import Scope
from restante.server.config import Settings
from restante.server.errors import Refusal
from restante.server.limits.prefixes import prefix_of_request
from restante.server.passkeys.origins import origin_of, public_origin
from restante.server.passkeys.service import Passkeys
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import token_of
from restante.server.sessions.service import Sessions

MANAGED_AT = "/settings"
"""The page of the web app where passkeys are added, removed and explained."""


@post(
    "/api/v1/passkeys/registration",
    tags=["passkeys"],
    responses=refusals(
        *JSON_BODY,
        *CHANGE,
        *SIGNED_IN,
        "passkeys-unavailable",
        "sign-up-closed",
        "invalid-name",
        "name-taken",
        "rate-limited",
    ),
)
async def begin_registration(
    data: JSONBody[wire.StartRegistration],
    request: Request[Any, Any, Any],
    *,
    passkeys: NamedDependency[Passkeys],
    sessions: NamedDependency[Sessions],
    settings: NamedDependency[Settings],
) -> wire.Ceremony:
    """Begins to make a passkey: with a name for a sign-up, without one for the account that is signed in."""
    scope: Scope = request.scope  # type: ignore[assignment] # the framework's own TypedDict
    origin = origin_of(scope["headers"], settings.origins)
    prefix = prefix_of_request(scope, settings.trusted_proxies)
    if data.name is not None:
        return await passkeys.begin_sign_up(data.name, origin, prefix=prefix)
    actor = await sessions.actor(token_of(scope["headers"]))
    return await passkeys.begin_registration(actor, origin, prefix=prefix)


@post(
    "/api/v1/passkeys/assertion",
    tags=["passkeys"],
    responses=refusals(*JSON_BODY, *CHANGE, "passkeys-unavailable", "rate-limited"),
)
async def begin_assertion(
    data: JSONBody[wire.StartAssertion],  # noqa: ARG001 - there is nothing to say yet
    request: Request[Any, Any, Any],
    *,
    passkeys: NamedDependency[Passkeys],
    settings: NamedDependency[Settings],
) -> wire.Ceremony:
    """Begins to show a passkey, to sign in or to be verified anew; which one, its person chooses."""
    scope: Scope = request.scope  # type: ignore[assignment] # the framework's own TypedDict
    origin = origin_of(scope["headers"], settings.origins)
    return await passkeys.begin_assertion(origin, prefix=prefix_of_request(scope, settings.trusted_proxies))


@get(
    "/.well-known/passkey-endpoints", tags=["passkeys"], sync_to_thread=False, responses=refusals("not-found")
)
def passkey_endpoints(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings]
) -> Response[wire.PasskeyEndpoints]:
    """Tells password managers where passkeys are added and removed, and that a secret of theirs opens what is encrypted."""
    origin = public_origin(request.scope["headers"], settings.origins)
    if origin is None:
        raise Refusal("not-found")
    page = origin.text + MANAGED_AT
    return Response(wire.PasskeyEndpoints(enroll=page, manage=page, prf_usage_details=page))


ROUTES: list[HTTPRouteHandler] = [begin_registration, begin_assertion, passkey_endpoints]
