"""Whether it is open here, for whom, and being told when it is."""

from typing import Annotated, Any

from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, QueryParameter

from restante.protocol.wire_availability import Availability as Told
from restante.protocol.wire_availability import PutCountry, ShowTicket, Wait
from restante.server.admission.service import Admission
from restante.server.availability.place import Places
from restante.server.availability.service import Availability
from restante.server.config import Settings
from restante.server.errors import Refusal
from restante.server.limits.prefixes import prefix_of_request
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor, token_of
from restante.server.sessions.service import Sessions

AnyRequest = Request[Any, Any, Any]


@get("/api/v1/availability", tags=["availability"], responses=refusals("invalid"))
async def get_availability(
    request: AnyRequest,
    availability: NamedDependency[Availability],
    places: NamedDependency[Places],
    sessions: NamedDependency[Sessions],
    country: Annotated[
        str | None,
        QueryParameter(
            description="Where one says to be, before there is an account.",
            schema_extra={"pattern": "^[A-Z]{2}$"},
        ),
    ] = None,
) -> Told:
    """Tells whether sign-up and sending are open to who asks, from where they are and on what they use, and if not, why."""
    if country is not None and not (len(country) == 2 and country.isascii() and country.isupper()):
        raise Refusal("invalid", detail="country: two capital letters, such as GB")
    actor = await _somebody(request, sessions)
    return await availability.tell(actor, places.sighted(request.scope), country)  # type: ignore[arg-type] # its own TypedDict


@put(
    "/api/v1/account/country",
    tags=["availability"],
    status_code=200,
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY),
)
async def put_country(
    actor: NamedDependency[Actor],
    request: AnyRequest,
    availability: NamedDependency[Availability],
    places: NamedDependency[Places],
    data: JSONBody[PutCountry],
) -> Told:
    """Declares where the account is at home, which counts from then on wherever its person travels."""
    return await availability.set_country(actor, data.country, places.sighted(request.scope))  # type: ignore[arg-type] # likewise


@post(
    "/api/v1/availability/waiting",
    tags=["availability"],
    status_code=200,
    responses=refusals(*CHANGE, *JSON_BODY, "mail-unavailable", "rate-limited"),
)
async def wait(
    request: AnyRequest,
    data: JSONBody[Wait],
    *,
    availability: NamedDependency[Availability],
    places: NamedDependency[Places],
    sessions: NamedDependency[Sessions],
    settings: NamedDependency[Settings],
) -> Told:
    """Asks to be told when it opens: an account as it is told of news, anybody else by one mail."""
    actor = await _somebody(request, sessions)
    prefix = prefix_of_request(request.scope, settings.trusted_proxies)  # type: ignore[arg-type] # likewise
    return await availability.wait(actor, data, places.sighted(request.scope), prefix=prefix)  # type: ignore[arg-type] # likewise


@delete("/api/v1/availability/waiting", tags=["availability"], responses=refusals(*SIGNED_IN, *CHANGE))
async def stop_waiting(actor: NamedDependency[Actor], availability: NamedDependency[Availability]) -> None:
    """Asks not to be told any more."""
    await availability.stop_waiting(actor)


@post(
    "/api/v1/account/invite",
    tags=["availability"],
    status_code=200,
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "ticket-refused", "rate-limited"),
)
async def take_invite(
    actor: NamedDependency[Actor],
    request: AnyRequest,
    data: JSONBody[ShowTicket],
    *,
    admission: NamedDependency[Admission],
    availability: NamedDependency[Availability],
    places: NamedDependency[Places],
) -> Told:
    """Shows an invite, which lets the account take part in a beta."""
    await admission.take_invite(actor, data.ticket)
    return await availability.tell(actor, places.sighted(request.scope))  # type: ignore[arg-type] # likewise


async def _somebody(request: AnyRequest, sessions: Sessions) -> Actor | None:
    """Who asks, if anybody is signed in."""
    try:
        return await sessions.actor(token_of(request.scope["headers"]))
    except Refusal:
        return None


ROUTES: list[HTTPRouteHandler] = [get_availability, put_country, wait, stop_waiting, take_invite]
