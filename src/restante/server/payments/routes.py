"""Where plans are paid: everything about money itself happens at the provider."""

from typing import Any, cast

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol import limits
from restante.protocol.wire_plans import BeginPayment, ManagePayment, Payment, Standing
from restante.server.asgi import Receive, Scope, read_body
from restante.server.payments.service import Payments
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor

_ASKS = ("payments-unavailable", "payments-silent")


@post(
    "/api/v1/account/plan/payment",
    tags=["plans"],
    status_code=200,
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, *_ASKS, "already-subscribed"),
)
async def begin_payment(
    actor: NamedDependency[Actor], payments: NamedDependency[Payments], data: JSONBody[BeginPayment]
) -> Payment:
    """Begins to pay for a plan, or changes to it: tells the provider's page, or where to send the money."""
    return await payments.begin(actor, data.plan, language=data.language)


@post(
    "/api/v1/account/plan/management",
    tags=["plans"],
    status_code=200,
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, *_ASKS),
)
async def manage_payment(
    actor: NamedDependency[Actor], payments: NamedDependency[Payments], data: JSONBody[ManagePayment]
) -> Payment:
    """Tells the provider's page where cards, invoices and the end of a plan are."""
    return await payments.manage(actor, language=data.language)


@post(
    "/api/v1/account/plan/refresh",
    tags=["plans"],
    status_code=200,
    responses=refusals(*SIGNED_IN, *CHANGE, "payments-silent"),
)
async def refresh_plan(actor: NamedDependency[Actor], payments: NamedDependency[Payments]) -> Standing:
    """Asks the provider at once what was paid, and tells the plan."""
    return await payments.refresh(actor)


@post(
    "/api/v1/payments/{provider:str}/notices",
    tags=["plans"],
    status_code=204,
    responses=refusals(
        "notice-refused", "not-found", "too-large", "timeout", "storage-full", "forbidden-origin"
    ),
)
async def hear_payment(
    request: Request[Any, Any, Any], payments: NamedDependency[Payments], provider: FromPath[str]
) -> None:
    """Takes a provider's signed notice that something changed; it may come twice, late and in any order."""
    scope, receive = cast("Scope", request.scope), cast("Receive", request.receive)
    body = await read_body(scope, receive, limit=limits.MIB)
    await payments.hear(provider, scope["headers"], body)


ROUTES: list[HTTPRouteHandler] = [begin_payment, manage_payment, refresh_plan, hear_payment]
