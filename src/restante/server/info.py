"""GET / and GET /api/v1/server: who this server is and what a client must know beforehand."""

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from restante import __version__
from restante.protocol import limits
from restante.protocol.wire import Limits, ServerInfo
from restante.server.house import House
from restante.server.passkeys.origins import may_have_passkeys
from restante.server.problem_docs import refusals

WELCOME = """Restante {version} at {name}

Leave a video, it waits for them. This address speaks to the `restante` command; try:

    restante sign-up NAME --server URL
    restante send NAME FILE
    restante inbox
"""


@get("/", media_type="text/plain", sync_to_thread=False, include_in_schema=False)
def welcome(house: NamedDependency[House]) -> str:
    return WELCOME.format(version=__version__, name=house.server_name)


@get("/api/v1/server", sync_to_thread=False, tags=["server"], responses=refusals())
def server_info(request: Request[Any, Any, Any], house: NamedDependency[House]) -> ServerInfo:
    """Tells the server's name, versions, sign-up policy and limits, and whether passkeys are possible at this address."""
    return ServerInfo(
        server_name=house.server_name,
        version=__version__,
        protocol=[1],
        sign_up=house.settings.sign_up,
        provider=house.admission.provider_name,
        limits=Limits(
            upload_bytes=house.settings.upload_bytes,
            recording_ms=limits.RECORDING_MS,
            part_bytes=limits.PART_BYTES,
            details_bytes=limits.DETAILS_BYTES,
            envelope_bytes=limits.ENVELOPE_BYTES,
            recipients=limits.RECIPIENTS,
            unfinished_uploads=limits.UNFINISHED_UPLOADS,
        ),
        passkeys=may_have_passkeys(request.scope["headers"], house.settings.origins),
    )


ROUTES: list[HTTPRouteHandler | Any] = [welcome, server_info]
