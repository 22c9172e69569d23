"""What this server has about the account that asks."""

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from restante.protocol import wire
from restante.server.known.service import Known
from restante.server.problem_docs import SIGNED_IN, refusals
from restante.server.sessions.actor import Actor


@get("/api/v1/account/known", tags=["accounts"], responses=refusals(*SIGNED_IN))
async def get_known(actor: NamedDependency[Actor], known: NamedDependency[Known]) -> wire.Known:
    """Counts what this server has about the account: rows, bytes and times of each table, and who wrote to whom."""
    return await known.of(actor)


ROUTES: list[HTTPRouteHandler] = [get_known]
