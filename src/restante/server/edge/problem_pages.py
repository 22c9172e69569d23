"""GET /problems/{code}: what the `type` of a problem points to (RFC 9457 section 3.1.1), in words."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from restante.protocol.codes import CODES
from restante.server.edge.problems import TYPE_BASE
from restante.server.errors import Refusal
from restante.server.problem_docs import refusals

CACHE_S = 24 * 3600


@get(
    f"{TYPE_BASE}{{code:str}}",
    tags=["server"],
    media_type="text/plain",
    sync_to_thread=False,
    responses=refusals("not-found"),
)
def problem_page(code: FromPath[str]) -> Response[str]:
    """Tells what a problem means and what to do about it, as plain text."""
    entry = CODES.get(code)
    if entry is None:
        raise Refusal("not-found")
    text = "\n".join(filter(None, (f"{entry.code} ({entry.status})", entry.title, entry.hint)))
    return Response(text + "\n", headers={"cache-control": f"public, max-age={CACHE_S}"})


ROUTES: list[HTTPRouteHandler] = [problem_page]
