"""GET /metrics, for Prometheus; whoever may not read it is told that there is nothing."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from restante.server.errors import Refusal
from restante.server.metrics.service import Metrics

TEXT = "text/plain; version=0.0.4"


@get("/metrics", include_in_schema=False)
async def metrics(request: Request[Any, Any, Any], metering: NamedDependency[Metrics]) -> Response[bytes]:
    client = request.client.host if request.client else ""
    if not metering.may_read(client, request.scope["headers"]):
        raise Refusal("not-found")
    return Response(await metering.text(), media_type=TEXT, headers={"cache-control": "no-store"})


ROUTES: list[HTTPRouteHandler] = [metrics]
