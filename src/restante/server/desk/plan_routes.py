"""Plans at the operator's desk over HTTP: parse, one call, shape."""

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from restante.protocol.wire_desk_plans import DeskGrant, DeskGrants, DeskPlans, GiveGrant, RecordPayment
from restante.server.desk import plans as desk_plans
from restante.server.desk.service import Desk
from restante.server.plans.service import Plans
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor

_SEES = (*SIGNED_IN, "not-found", "passkey-needed")
_CHANGES = (*_SEES, *CHANGE, "verification-needed")
_TAG = ["operator"]
AnyRequest = Request[Any, Any, Any]


@get("/api/v1/operator/plans", tags=_TAG, responses=refusals(*_SEES))
async def get_desk_plans(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    plans: NamedDependency[Plans],
) -> DeskPlans:
    """Tells the plans in force and how many accounts have each; never who."""
    return await desk_plans.overview(desk, plans, actor, request.scope["headers"])


@get("/api/v1/operator/grants", tags=_TAG, responses=refusals(*_SEES, "invalid"))
async def list_grants(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    account: Annotated[str, QueryParameter(max_length=64, description="Lists those of this name only.")] = "",
) -> DeskGrants:
    """Lists what operators gave and which payments they recorded, the latest first."""
    return await desk_plans.grants(desk, actor, request.scope["headers"], name=account)


@post(
    "/api/v1/operator/grants",
    tags=_TAG,
    status_code=200,
    responses=refusals(*_CHANGES, *JSON_BODY, "no-such-account"),
)
async def give_grant(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    plans: NamedDependency[Plans],
    data: JSONBody[GiveGrant],
) -> DeskGrant:
    """Gives an account a plan, or videos besides."""
    return await desk_plans.give(desk, plans, actor, request.scope["headers"], data)


@post(
    "/api/v1/operator/payments",
    tags=_TAG,
    status_code=200,
    responses=refusals(*_CHANGES, *JSON_BODY, "no-such-account", "paid-before"),
)
async def record_payment(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    plans: NamedDependency[Plans],
    data: JSONBody[RecordPayment],
) -> DeskGrant:
    """Records a payment that arrived: the plan follows, after what was paid before. The same reference again changes nothing."""
    return await desk_plans.pay(desk, plans, actor, request.scope["headers"], data)


@post(
    "/api/v1/operator/grants/{grant_id:str}/end",
    tags=_TAG,
    status_code=200,
    responses=refusals(*_CHANGES),
)
async def end_grant(
    request: AnyRequest, actor: NamedDependency[Actor], desk: NamedDependency[Desk], grant_id: FromPath[str]
) -> DeskGrant:
    """Ends a grant now, also one that was paid and is paid back."""
    return await desk_plans.end(desk, actor, request.scope["headers"], grant_id)


ROUTES: list[HTTPRouteHandler] = [get_desk_plans, list_grants, give_grant, record_payment, end_grant]
