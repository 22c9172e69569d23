"""What the server noted of deletions, for the account whose messages they were."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from restante.protocol import limits
from restante.protocol.wire_messages import AuditLines
from restante.server.audit.service import Audit
from restante.server.problem_docs import SIGNED_IN, refusals
from restante.server.sessions.actor import Actor


@get("/api/v1/account/audit", tags=["accounts"], responses=refusals(*SIGNED_IN, "invalid"))
async def list_audit(
    actor: NamedDependency[Actor],
    audit: NamedDependency[Audit],
    after: Annotated[
        int, QueryParameter(ge=0, le=limits.JSON_INT, description="Lists lines after this one.")
    ] = 0,
) -> AuditLines:
    """Lists the account's chain of deletions: what was taken back, expired, and removed from the store."""
    return await audit.after(actor, after)


ROUTES: list[HTTPRouteHandler] = [list_audit]
