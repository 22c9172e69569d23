"""One's own account as a whole."""

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from restante.protocol.wire_mine import Storage, Unplayed
from restante.server.mine.service import Mine
from restante.server.problem_docs import CHANGE, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor


@get("/api/v1/inbox/unplayed", tags=["messages"], responses=refusals(*SIGNED_IN))
async def count_unplayed(actor: NamedDependency[Actor], mine: NamedDependency[Mine]) -> Unplayed:
    """Counts the messages in the inbox that were not played yet."""
    return await mine.unplayed(actor)


@get("/api/v1/account/storage", tags=["accounts"], responses=refusals(*SIGNED_IN))
async def get_storage(actor: NamedDependency[Actor], mine: NamedDependency[Mine]) -> Storage:
    """Counts the bytes that are stored for the account, and with whom."""
    return await mine.storage(actor)


@delete(
    "/api/v1/account",
    tags=["accounts"],
    responses=refusals(*SIGNED_IN, *CHANGE, "verification-needed"),
)
async def delete_account(actor: NamedDependency[Actor], mine: NamedDependency[Mine]) -> None:
    """Deletes the account with everything in it, for good; asks anew who one is. Its name is never given away again."""
    await mine.delete(actor)


ROUTES: list[HTTPRouteHandler] = [count_unplayed, get_storage, delete_account]
