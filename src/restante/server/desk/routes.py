"""The operator's desk over HTTP: parse, one call, shape."""

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from restante.protocol import limits
from restante.protocol.wire_desk import (
    DeskActs,
    DeskDecision,
    DeskDisclosure,
    DeskHealth,
    DeskPeople,
    DeskReport,
    DeskReports,
    DeskUsage,
)
from restante.server.desk.service import Desk
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor

_SEES = refusals(*SIGNED_IN, "not-found", "passkey-needed")
_SEES_LIST = refusals(*SIGNED_IN, "not-found", "passkey-needed", "invalid")
_TAG = ["operator"]
AnyRequest = Request[Any, Any, Any]


@get("/api/v1/operator/health", tags=_TAG, responses=_SEES)
async def get_health(
    request: AnyRequest, actor: NamedDependency[Actor], desk: NamedDependency[Desk]
) -> DeskHealth:
    """Looks at what `restante doctor` looks at: one plain word and one cure each."""
    return await desk.health(actor, request.scope["headers"])


@get("/api/v1/operator/usage", tags=_TAG, responses=_SEES)
async def get_usage(
    request: AnyRequest, actor: NamedDependency[Actor], desk: NamedDependency[Desk]
) -> DeskUsage:
    """Counts what there is, and what each of the last thirty days brought."""
    return await desk.usage(actor, request.scope["headers"])


@get("/api/v1/operator/people", tags=_TAG, responses=_SEES_LIST)
async def list_people(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    after: Annotated[str, QueryParameter(max_length=64, description="Lists names after this one.")] = "",
    like: Annotated[
        str, QueryParameter(max_length=64, description="Lists names that have this in them.")
    ] = "",
) -> DeskPeople:
    """Lists accounts by name: since when, last seen, how much they sent. Never what, or to whom."""
    return await desk.people(actor, request.scope["headers"], after=after, like=like)


@get("/api/v1/operator/reports", tags=_TAG, responses=_SEES_LIST)
async def list_reports(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    all: Annotated[bool, QueryParameter(description="Also those that were decided.")] = False,  # noqa: FBT002 - a query's word
) -> DeskReports:
    """Lists reports of abuse that wait, the oldest first."""
    return await desk.reports(actor, request.scope["headers"], everything=all)


@post(
    "/api/v1/operator/reports/{report_id:str}/decision",
    tags=_TAG,
    status_code=200,
    responses=refusals(
        *SIGNED_IN,
        *CHANGE,
        *JSON_BODY,
        "not-found",
        "passkey-needed",
        "verification-needed",
        "nothing-to-ban",
    ),
)
async def decide_report(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    report_id: FromPath[str],
    data: JSONBody[DeskDecision],
) -> DeskReport:
    """Takes a message out of sight, bans its sender, or dismisses the report and takes back what was decided on it."""
    return await desk.decide(actor, request.scope["headers"], report_id, data)


@post(
    "/api/v1/operator/reports/{report_id:str}/disclosure",
    tags=_TAG,
    status_code=200,
    responses=refusals(*SIGNED_IN, *CHANGE, "not-found", "passkey-needed", "verification-needed"),
)
async def open_report(
    request: AnyRequest, actor: NamedDependency[Actor], desk: NamedDependency[Desk], report_id: FromPath[str]
) -> DeskDisclosure:
    """Hands out the one message that a report discloses. That somebody looked is noted first."""
    return await desk.disclosed(actor, request.scope["headers"], report_id)


@get("/api/v1/operator/acts", tags=_TAG, responses=_SEES_LIST)
async def list_acts(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    before: Annotated[
        int, QueryParameter(ge=1, le=limits.JSON_INT, description="Lists lines before this one.")
    ] = limits.JSON_INT,
) -> DeskActs:
    """Lists what operators did and looked into, the newest first, and whether that record is whole."""
    return await desk.acts(actor, request.scope["headers"], before=before)


ROUTES: list[HTTPRouteHandler] = [
    get_health,
    get_usage,
    list_people,
    list_reports,
    decide_report,
    open_report,
    list_acts,
]
