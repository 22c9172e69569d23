"""The composition root: builds every part from the settings and hands out one ASGI application."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig

from restante import __version__
from restante.server import health, info
from restante.server.accounts.routes import ROUTES as ACCOUNTS
from restante.server.asgi import App, Receive, Scope, Send
from restante.server.clock import Clock, SystemClock
from restante.server.config import Settings, from_environment
from restante.server.edge.bodies import strict_json
from restante.server.edge.guard import Guard
from restante.server.edge.problems import answer
from restante.server.house import House, furnish
from restante.server.keys.routes import ROUTES as KEYS
from restante.server.messages.download import VideoApp
from restante.server.messages.routes import ROUTES as MESSAGES
from restante.server.sessions.actor import Actor, token_of
from restante.server.sessions.routes import ROUTES as SESSIONS
from restante.server.uploads.tus import TusApp

API = "/api/v1"
VIDEO = re.compile(rf"{API}/messages/([^/]+)/video\Z")


def create() -> App:
    """What granian calls in its worker: settings from the environment."""
    return build(from_environment())


def build(settings: Settings, *, clock: Clock | None = None) -> App:
    """Builds the application on the embedded default: SQLite and local files in ``settings.data``."""
    return assemble(furnish(settings, clock or SystemClock()))


def assemble(house: House) -> App:
    """Puts the edge around the data plane and the JSON side of a furnished house."""
    return Guard(_data_plane(house, build_litestar(house)), house.settings, house.log)


def _data_plane(house: House, control: App) -> App:
    """[Note: Beside, not mounted] Bytes bypass the framework; its mounts match by bare prefix and rewrite the path."""
    tus, video = (
        TusApp(house.uploads, house.sessions),
        VideoApp(house.messages, house.sessions, house.uploads),
    )

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == f"{API}/uploads" or path.startswith(f"{API}/uploads/"):
            scope["route"] = f"{API}/uploads/{{id}}"
            await tus(scope, receive, send, path[len(f"{API}/uploads/") :])
        elif match := VIDEO.match(path):
            scope["route"] = f"{API}/messages/{{id}}/video"
            await video(scope, receive, send, match[1])
        else:
            await control(scope, receive, send)

    return dispatch


def build_litestar(house: House) -> Litestar:
    """Builds the JSON side, which is also what the OpenAPI document is generated from."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await house.open()
        yield
        await house.close()

    async def actor(request: Request[Any, Any, Any]) -> Actor:
        found = await house.sessions.actor(token_of(request.scope["headers"]))
        request.scope["actor"] = house.log.actor(found.account_id)  # type: ignore[typeddict-unknown-key] # for the log line
        return found

    services = {
        "accounts": house.accounts,
        "keys": house.keys,
        "sessions": house.sessions,
        "messages": house.messages,
        "settings": house.settings,
        "log": house.log,
        "house": house,
    }
    return Litestar(
        route_handlers=[*info.ROUTES, *health.ROUTES, *ACCOUNTS, *SESSIONS, *KEYS, *MESSAGES],
        dependencies={"actor": Provide(actor)} | {name: _constant(part) for name, part in services.items()},
        exception_handlers={Exception: answer},
        middleware=[strict_json],
        lifespan=[lifespan],
        state=State({"log": house.log}),
        openapi_config=OpenAPIConfig(title="Restante", version=__version__, path=f"{API}/openapi"),
        request_max_body_size=None,
        debug=False,
    )


def _constant(part: object) -> Provide:
    return Provide(lambda: part, sync_to_thread=False, use_cache=True)
