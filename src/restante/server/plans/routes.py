"""What an account's plan is."""

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from restante.protocol.wire_plans import Standing
from restante.server.plans.service import Plans
from restante.server.problem_docs import SIGNED_IN, refusals
from restante.server.sessions.actor import Actor


@get("/api/v1/account/plan", tags=["plans"], responses=refusals(*SIGNED_IN))
async def get_plan(actor: NamedDependency[Actor], plans: NamedDependency[Plans]) -> Standing:
    """Tells the account's plan, what it used of it, and which others there are; `on` is false where everything is free."""
    return await plans.standing(actor)


ROUTES: list[HTTPRouteHandler] = [get_plan]
