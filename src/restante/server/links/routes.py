"""The links room over HTTP: owners with their session, guests with a bearer or a view token in its place."""

from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol.wire_links import AddLink, Link, LinkFound, Links, LinkView
from restante.server.config import Settings
from restante.server.limits.prefixes import prefix_of_request
from restante.server.links.service import GuestLinks
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor, bearer_of

AnyRequest = Request[Any, Any, Any]
SEALED = "application/octet-stream"
_ETAG = ResponseHeader(name="ETag", value="", required=True, documentation_only=True)
FILE_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


@post(
    "/api/v1/messages/{message_id:str}/links",
    tags=["links"],
    responses=refusals(
        *SIGNED_IN, *CHANGE, *JSON_BODY, "not-found", "too-many-links", "rate-limited", "not-in-plan"
    ),
)
async def add_link(
    actor: NamedDependency[Actor],
    links: NamedDependency[GuestLinks],
    message_id: FromPath[str],
    data: JSONBody[AddLink],
) -> Link:
    """Makes a guest link to a message that one sent; the same bearer again gives the same link."""
    return await links.add(actor, message_id, data)


@get("/api/v1/links", tags=["links"], responses=refusals(*SIGNED_IN))
async def list_links(actor: NamedDependency[Actor], links: NamedDependency[GuestLinks]) -> Links:
    """Lists one's links, the newest first, with how often each was opened."""
    return await links.mine(actor)


@delete("/api/v1/links/{link_id:str}", tags=["links"], responses=refusals(*SIGNED_IN, *CHANGE, "not-found"))
async def revoke_link(
    actor: NamedDependency[Actor], links: NamedDependency[GuestLinks], link_id: FromPath[str]
) -> None:
    """Takes a link back, also from those who are watching; a second time changes nothing."""
    await links.revoke(actor, link_id)


@get("/api/v1/answers", tags=["links"], responses=refusals("not-found"))
async def find_answer(request: AnyRequest, links: NamedDependency[GuestLinks]) -> LinkFound:
    """Tells which link the bearer in `Authorization` opens, for a caller who made its secret; 404 while there is none."""
    return await links.find(bearer_of(request.scope["headers"]))


@get(
    "/api/v1/links/{link_id:str}/envelope",
    tags=["links"],
    media_type=SEALED,
    responses=refusals("not-found", "link-gone", "view-over"),
)
async def get_link_envelope(
    request: AnyRequest, links: NamedDependency[GuestLinks], link_id: FromPath[str]
) -> Response[bytes]:
    """Gives envelope.age to who shows the link's bearer, or the token of a view. Counts nothing."""
    return Response(
        await links.envelope(link_id, bearer_of(request.scope["headers"])),
        media_type=SEALED,
        headers=FILE_HEADERS | {"Content-Disposition": 'attachment; filename="envelope.age"'},
    )


@post(
    "/api/v1/links/{link_id:str}/opens",
    tags=["links"],
    responses=refusals(*CHANGE, "not-found", "link-gone", "rate-limited"),
)
async def open_link(
    request: AnyRequest,
    links: NamedDependency[GuestLinks],
    settings: NamedDependency[Settings],
    link_id: FromPath[str],
) -> LinkView:
    """Counts one open, for who shows the link's bearer, and gives the token of a view of half an hour."""
    prefix = prefix_of_request(request.scope, settings.trusted_proxies)  # type: ignore[arg-type] # its own TypedDict
    return await links.open(link_id, bearer_of(request.scope["headers"]), prefix=prefix)


@get(
    "/api/v1/links/{link_id:str}/details",
    tags=["links"],
    media_type=SEALED,
    response_headers=[_ETAG],
    responses=refusals("not-found", "link-gone", "view-over"),
)
async def get_link_details(
    request: AnyRequest, links: NamedDependency[GuestLinks], link_id: FromPath[str]
) -> Response[bytes]:
    """Gives details.age to a view."""
    data, etag = await links.details(link_id, bearer_of(request.scope["headers"]))
    headers = {"ETag": etag, "Content-Disposition": 'attachment; filename="details.age"'}
    return Response(data, media_type=SEALED, headers=FILE_HEADERS | headers)


ROUTES: list[HTTPRouteHandler] = [
    add_link,
    list_links,
    revoke_link,
    find_answer,
    get_link_envelope,
    open_link,
    get_link_details,
]
