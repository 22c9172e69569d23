"""Tickets for a sign-up: by a code sent to a mail address, or by a visit at the operator's provider of identities.

The same visit links an account that there is, and finds it again.
"""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, QueryParameter

from restante.protocol.wire_availability import Admitted, AskCode, CodeSent, Identity, ShowCode, ShowTicket
from restante.server.admission.provider import ProviderFailed, Purpose
from restante.server.admission.service import Admission
from restante.server.asgi import RawHeaders, headers_named
from restante.server.config import Settings
from restante.server.limits.prefixes import prefix_of_request
from restante.server.log import Log
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor

COOKIE = "__Host-provider"
COOKIE_S = 3600
_BACK: dict[Purpose, str] = {"sign-up": "/sign-up", "account": "/settings/identity"}
AnyRequest = Request[Any, Any, Any]


@post(
    "/api/v1/sign-up/codes",
    tags=["accounts"],
    responses=refusals(*CHANGE, *JSON_BODY, "mail-unavailable", "wrong-domain", "rate-limited"),
)
async def send_code(
    request: AnyRequest,
    data: JSONBody[AskCode],
    admission: NamedDependency[Admission],
    settings: NamedDependency[Settings],
) -> CodeSent:
    """Has a code sent to a mail address of one of the domains whose people may sign up."""
    return await admission.send_code(data, prefix=_prefix(request, settings))


@post(
    "/api/v1/sign-up/tickets",
    tags=["accounts"],
    responses=refusals(*CHANGE, *JSON_BODY, "wrong-code", "rate-limited"),
)
async def show_code(data: JSONBody[ShowCode], admission: NamedDependency[Admission]) -> Admitted:
    """Takes the code, and gives a ticket for one sign-up."""
    return await admission.ticket_for_code(data)


@get(
    "/api/v1/sign-up/provider",
    tags=["accounts"],
    status_code=303,
    responses=refusals("not-found", "provider-failed", "rate-limited", "invalid"),
)
async def visit_provider(
    request: AnyRequest,
    admission: NamedDependency[Admission],
    settings: NamedDependency[Settings],
    for_: Annotated[Purpose, QueryParameter(name="for")] = "sign-up",
) -> Response[bytes]:
    """Leads the browser to the operator's provider of identities."""
    visit = await admission.visit(for_, prefix=_prefix(request, settings))
    return _to(visit.url, browser=visit.browser)


@get(
    "/api/v1/sign-up/provider/return",
    tags=["accounts"],
    status_code=303,
    responses=refusals("not-found", "invalid"),
)
async def return_from_provider(
    request: AnyRequest,
    admission: NamedDependency[Admission],
    log: NamedDependency[Log],
    code: Annotated[str, QueryParameter(max_length=4096)] = "",
    state_: Annotated[str, QueryParameter(name="state", max_length=256)] = "",
) -> Response[bytes]:
    """Comes back from the provider: to a sign-up with a ticket, or to the sign-in of the account that has this identity.

    Who visited for an account comes back with a ticket to where it is linked.
    What is told stands in the fragment, which reaches no server and no log.
    """
    try:
        browser = provider_cookie(request.scope["headers"])
        found = await admission.come_back(browser=browser, state=state_, code=code)
    except ProviderFailed as failed:
        request_id = str(request.scope["request_id"])  # type: ignore[typeddict-item] # put there by the guard
        log.event("provider-failed", request_id=request_id, reason=failed.reason)
        return _to(f"{_BACK[failed.purpose]}#{urlencode({'failed': failed.entry.code})}")
    if found.purpose == "sign-up" and found.name is not None:
        return _to(f"/sign-in#{urlencode({'name': found.name})}")
    return _to(f"{_BACK[found.purpose]}#{urlencode({'ticket': found.ticket})}")


@get("/api/v1/account/identity", tags=["accounts"], responses=refusals(*SIGNED_IN))
async def get_identity(actor: NamedDependency[Actor], admission: NamedDependency[Admission]) -> Identity:
    """Tells what identity at the operator's provider the account is linked to."""
    return await admission.identity(actor)


@put(
    "/api/v1/account/identity",
    tags=["accounts"],
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "ticket-refused", "ticket-used", "identity-linked"),
)
async def link_identity(
    actor: NamedDependency[Actor],
    request: AnyRequest,
    data: JSONBody[ShowTicket],
    admission: NamedDependency[Admission],
) -> Identity:
    """Links the account to the identity that a visit at the provider proved, in the browser that was there."""
    return await admission.link(actor, data.ticket, browser=provider_cookie(request.scope["headers"]))


@delete(
    "/api/v1/account/identity", tags=["accounts"], responses=refusals(*SIGNED_IN, *CHANGE, "identity-needed")
)
async def unlink_identity(actor: NamedDependency[Actor], admission: NamedDependency[Admission]) -> None:
    """Forgets the identity, which then finds no account any more."""
    await admission.unlink(actor)


def provider_cookie(headers: RawHeaders) -> str:
    """The cookie of a visit; empty without one. See [Note: Neighbours' cookies]."""
    for value in headers_named(headers, b"cookie"):
        for cookie in value.split(b";"):
            name, _, text = cookie.strip().partition(b"=")
            if name == COOKIE.encode():
                return text.decode("latin-1")
    return ""


def _to(url: str, *, browser: str | None = None) -> Response[bytes]:
    cookies = [] if browser is None else [_cookie(browser)]
    return Response(b"", status_code=303, media_type="text/plain", headers={"location": url}, cookies=cookies)


def _cookie(value: str) -> Cookie:
    return Cookie(
        key=COOKIE, value=value, max_age=COOKIE_S, path="/", secure=True, httponly=True, samesite="lax"
    )


def _prefix(request: AnyRequest, settings: Settings) -> str:
    return prefix_of_request(request.scope, settings.trusted_proxies)  # type: ignore[arg-type] # its own TypedDict


ROUTES: list[HTTPRouteHandler] = [
    send_code,
    show_code,
    visit_provider,
    return_from_provider,
    get_identity,
    link_identity,
    unlink_identity,
]
