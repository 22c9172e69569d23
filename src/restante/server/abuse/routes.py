"""Reports of abuse over HTTP: parse, one call, shape."""

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from restante.protocol.wire_people import NewReport, Reported
from restante.server.abuse.service import Reports
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor


@post(
    "/api/v1/reports",
    tags=["people"],
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "not-found", "report-unproven", "rate-limited"),
)
async def report_message(
    actor: NamedDependency[Actor], reports: NamedDependency[Reports], data: JSONBody[NewReport]
) -> Reported:
    """Tells the operator of one received message and discloses it, and no other, to them."""
    return await reports.report(actor, data)


ROUTES: list[HTTPRouteHandler] = [report_message]
