"""/livez touches nothing; /readyz asks the database and the disk, and answers names and booleans only."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from sqlalchemy import text

from restante.server.house import House
from restante.server.problem_docs import refusals

NOT_READY = ResponseSpec(dict[str, bool], generate_examples=False, description="Some part is not ready.")


@get("/livez", sync_to_thread=False, tags=["server"], responses=refusals())
def livez() -> dict[str, bool]:
    """Tells that the process answers."""
    return {"alive": True}


@get("/readyz", tags=["server"], responses=refusals() | {503: NOT_READY})
async def readyz(house: NamedDependency[House]) -> Response[dict[str, bool]]:
    """Tells whether requests can be served: 200 when every part is ready, else 503."""
    parts = {
        "database": await _database(house),
        "disk": house.uploads.has_room(),
        "serving": not house.bus.closed,
    }
    # Without the bus to other nodes, which only wakes, they can be.
    return Response(parts | house.bus.parts, status_code=200 if all(parts.values()) else 503)


async def _database(house: House) -> bool:
    try:
        await house.database.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
    except Exception:  # noqa: BLE001 - whatever it is, the answer is no
        return False
    return True


ROUTES: list[HTTPRouteHandler] = [livez, readyz]
