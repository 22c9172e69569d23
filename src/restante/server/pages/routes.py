"""The pages room over HTTP: owners with their session, callers with nothing but a proof of work."""

from contextlib import suppress
from typing import Any

from litestar import Request, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol.wire_pages import Call, Challenge, NewCall, OwnPage, Page, PutPage
from restante.server.config import Settings
from restante.server.errors import Refusal
from restante.server.limits.prefixes import prefix_of_request
from restante.server.pages.service import Pages
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor, bearer_of

AnyRequest = Request[Any, Any, Any]


@get("/api/v1/account/page", tags=["pages"], responses=refusals(*SIGNED_IN))
async def get_own_page(actor: NamedDependency[Actor], pages: NamedDependency[Pages]) -> OwnPage:
    """Returns one's own answering page; off when there never was one."""
    return await pages.own(actor)


@put(
    "/api/v1/account/page",
    tags=["pages"],
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "not-found", "pages-unavailable", "not-in-plan"),
)
async def put_own_page(
    actor: NamedDependency[Actor], pages: NamedDependency[Pages], data: JSONBody[PutPage]
) -> OwnPage:
    """Stores one's answering page whole: on or off, who may call, its link, profile, greeting and hours."""
    return await pages.put(actor, data)


@get("/api/v1/pages/{name:str}", tags=["pages"], responses=refusals("no-such-page"))
async def get_page(request: AnyRequest, pages: NamedDependency[Pages], name: FromPath[str]) -> Page:
    """Tells callers about a page that is on; with the bearer of its link in `Authorization`, profile and greeting too."""
    bearer = None
    with suppress(Refusal):
        bearer = bearer_of(request.scope["headers"])
    return await pages.page(name, bearer)


@get("/api/v1/pages/{name:str}/challenge", tags=["pages"], responses=refusals("no-such-page", "rate-limited"))
async def get_challenge(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    settings: NamedDependency[Settings],
    name: FromPath[str],
) -> Challenge:
    """Gives a proof of work for one call, good for twenty minutes and once."""
    return await pages.challenge(name, prefix=_prefix(request, settings))


@post(
    "/api/v1/pages/{name:str}/calls",
    tags=["pages"],
    responses=refusals(
        *CHANGE,
        *JSON_BODY,
        "no-such-page",
        "page-closed",
        "page-needs-link",
        "page-needs-account",
        "proof-refused",
        "rate-limited",
    ),
)
async def begin_call(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    settings: NamedDependency[Settings],
    name: FromPath[str],
    data: JSONBody[NewCall],
) -> Call:
    """Lets somebody without an account in, to leave one message within a day."""
    return await pages.call(name, data, prefix=_prefix(request, settings))


@post(
    "/api/v1/links/{link_id:str}/calls",
    tags=["pages"],
    responses=refusals(
        *CHANGE, "not-found", "view-over", "link-gone", "may-not-answer", "call-over", "rate-limited"
    ),
)
async def begin_answer(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    settings: NamedDependency[Settings],
    link_id: FromPath[str],
) -> Call:
    """Lets a guest in who opened a link, to answer with one message, where the owner allowed it."""
    view = bearer_of(request.scope["headers"])
    return await pages.call_by_link(link_id, view, prefix=_prefix(request, settings))


def _prefix(request: AnyRequest, settings: Settings) -> str:
    return prefix_of_request(request.scope, settings.trusted_proxies)  # type: ignore[arg-type] # its own TypedDict


ROUTES: list[HTTPRouteHandler] = [
    get_own_page,
    put_own_page,
    get_page,
    get_challenge,
    begin_call,
    begin_answer,
]
