"""Who runs the server, over HTTP: parse, one call, shape."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from restante.protocol.wire_operators import Operator, OperatorClaim
from restante.server.certs.places import doorstep_url
from restante.server.config import Settings
from restante.server.operators.service import Operators
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor


@post(
    "/api/v1/operator",
    tags=["operator"],
    status_code=204,
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "operator-link-gone"),
)
async def claim_operator(
    actor: NamedDependency[Actor],
    operators: NamedDependency[Operators],
    data: JSONBody[OperatorClaim],
) -> None:
    """Makes the account an operator of this server, by the link that its terminal printed."""
    await operators.claim(actor, data.link)


@get("/api/v1/operator", tags=["operator"], responses=refusals(*SIGNED_IN))
async def get_operator(
    actor: NamedDependency[Actor], operators: NamedDependency[Operators], settings: NamedDependency[Settings]
) -> Operator:
    """Tells whether the account runs this server, and since when."""
    since = await operators.since(actor)
    return Operator(since, "" if since is None else doorstep_url(settings))


ROUTES: list[HTTPRouteHandler] = [claim_operator, get_operator]
