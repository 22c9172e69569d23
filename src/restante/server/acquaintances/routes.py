"""What an owner decided about others, over HTTP: parse, one call, shape."""

from litestar import put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol.wire_people import Acquaintance
from restante.server.acquaintances.service import Acquaintances
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor


@put(
    "/api/v1/account/acquaintances/{name:str}",
    tags=["people"],
    status_code=204,
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "no-such-account"),
)
async def put_acquaintance(
    actor: NamedDependency[Actor],
    acquaintances: NamedDependency[Acquaintances],
    name: FromPath[str],
    data: JSONBody[Acquaintance],
) -> None:
    """Notes whether somebody is accepted (their messages may notify) or blocked (no message of theirs arrives)."""
    await acquaintances.decide(actor, name, data.state)


ROUTES: list[HTTPRouteHandler] = [put_acquaintance]
