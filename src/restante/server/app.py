"""The composition root: builds every part from the settings and hands out one ASGI application."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide

from restante.server import health, info
from restante.server.abuse.routes import ROUTES as ABUSE
from restante.server.accounts.routes import ROUTES as ACCOUNTS
from restante.server.accounts.ways_in_routes import ROUTES as WAYS_IN
from restante.server.acquaintances.routes import ROUTES as ACQUAINTANCES
from restante.server.admission.routes import ROUTES as ADMISSION
from restante.server.asgi import App, Receive, Scope, Send
from restante.server.audit.routes import ROUTES as AUDIT
from restante.server.availability.routes import ROUTES as AVAILABILITY
from restante.server.certs.doorstep import with_doorstep
from restante.server.clock import SystemClock
from restante.server.config import from_environment
from restante.server.db.postgres import alone
from restante.server.desk.entrance import Entrance
from restante.server.desk.office_routes import ROUTES as OFFICE
from restante.server.desk.plan_routes import ROUTES as DESK_PLANS
from restante.server.desk.record import key_of
from restante.server.desk.routes import ROUTES as DESK
from restante.server.desk.service import Desk
from restante.server.desk.videos import ProbeVideos, ReportVideos
from restante.server.edge import problem_pages, webapp
from restante.server.edge.bodies import strict_json
from restante.server.edge.farewell import with_farewell
from restante.server.edge.guard import Guard
from restante.server.edge.openapi import contract
from restante.server.edge.options import options_of
from restante.server.edge.policies import REPORTS
from restante.server.edge.policy_reports import PolicyReports
from restante.server.edge.problems import answer
from restante.server.edge.webapp import WebApp
from restante.server.house import House, furnish
from restante.server.keys.routes import ROUTES as KEYS
from restante.server.known.routes import ROUTES as KNOWN
from restante.server.known.service import Known
from restante.server.links.routes import ROUTES as LINKS
from restante.server.memory import keep_warm, settle
from restante.server.messages.download import AccountVideos, GuestVideos, VideoApp
from restante.server.messages.routes import ROUTES as MESSAGES
from restante.server.messages.service import Messages
from restante.server.metrics.meters import Meters
from restante.server.metrics.routes import ROUTES as METRICS
from restante.server.metrics.service import Metrics
from restante.server.mine.routes import ROUTES as MINE
from restante.server.operators.routes import ROUTES as OPERATORS
from restante.server.operators.service import first_link
from restante.server.pages.routes import ROUTES as PAGES
from restante.server.pairing.routes import ROUTES as PAIRING
from restante.server.passkeys.routes import ROUTES as PASSKEYS
from restante.server.payments.routes import ROUTES as PAYMENTS
from restante.server.plans.routes import ROUTES as PLANS
from restante.server.push.routes import ROUTES as NOTICES
from restante.server.sessions.actor import Actor, token_of
from restante.server.sessions.routes import ROUTES as SESSIONS
from restante.server.storage import embedded, readable_at
from restante.server.transparency import keyfile
from restante.server.transparency.routes import ROUTES as TRANSPARENCY
from restante.server.uploads import folder
from restante.server.uploads.tus import TusApp
from restante.server.welcome import greet, open_or_explain

if TYPE_CHECKING:
    from restante.server.tracing import Traces

API = "/api/v1"
PROBE_VIDEO = re.compile(rf"{API}/operator/uploads/([^/]+)/video\Z")
REPORT_VIDEO = re.compile(rf"{API}/operator/reports/([^/]+)/video\Z")
GUEST_VIDEO = re.compile(rf"{API}/links/([^/]+)/video\Z")
PARTS = (
    "accounts",
    "places",
    "admission",
    "availability",
    "ways_in",
    "passkeys",
    "keys",
    "transparency",
    "witnesses",
    "sessions",
    "pairings",
    "push",
    "plans",
    "payments",
    "mine",
    "acquaintances",
    "reports",
    "audit",
    "links",
    "pages",
    "operators",
    "settings",
    "log",
)
"""What a handler may ask for by its name in the house."""
VIDEO = re.compile(rf"{API}/messages/([^/]+)/video\Z")


def create() -> App:
    """What granian calls in its worker: the embedded default, with settings from the environment, stopped by SIGTERM."""
    keep_warm()
    house, link = open_or_explain(_furnished)
    greet(house.settings, house.server_name, link=link)
    application = assemble(house, build_litestar(house), webapp.load(videos_at=readable_at(house.settings)))
    settle()
    return with_farewell(with_doorstep(application, house.settings), house.interrupt)


def _furnished() -> tuple[House, str | None]:
    """The house of the settings, and the link that makes an operator when nobody lives in it yet."""
    settings, clock = from_environment(), SystemClock()
    storage = embedded(settings)
    house = furnish(settings, clock, storage)
    with alone(storage.writer), storage.writer.begin() as connection:
        if settings.database_url:  # which other nodes may share
            keyfile.agree(connection, storage.log_key)
            if not settings.blob_url:
                folder.agree(connection, settings.data)
        return house, first_link(connection, now_ms=clock.now_ms())


def assemble(house: House, control: Litestar, web: WebApp) -> App:
    """Puts the edge around the data plane, the web app and the JSON side of a furnished house."""
    meters: Meters = control.state.meters
    traces: Traces | None = control.state.traces
    application = meters.counted(Guard(_data_plane(house, control, web), house.settings, house.log))
    return application if traces is None else traces.traced(application)


def _data_plane(house: House, control: Litestar, web: WebApp) -> App:
    """[Note: Beside, not mounted] Bytes bypass the framework; its mounts match by bare prefix and rewrite the path."""
    tus = TusApp(house.uploads, house.sessions, house.pages)
    video = VideoApp(house.uploads, AccountVideos(house.messages, house.sessions, house.uploads))
    guest_video = VideoApp(house.uploads, GuestVideos(house.links))
    probe_video = VideoApp(house.uploads, ProbeVideos(control.state.desk, house.sessions))
    report_video = VideoApp(house.uploads, ReportVideos(control.state.desk, house.sessions))
    reports = PolicyReports(house.clock, house.log)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == f"{API}/uploads" or path.startswith(f"{API}/uploads/"):
            scope["route"] = f"{API}/uploads/{{id}}"
            await tus(scope, receive, send, path[len(f"{API}/uploads/") :])
        elif match := VIDEO.match(path):
            scope["route"] = f"{API}/messages/{{id}}/video"
            await video(scope, receive, send, match[1])
        elif match := GUEST_VIDEO.match(path):
            scope["route"] = f"{API}/links/{{id}}/video"
            await guest_video(scope, receive, send, match[1])
        elif match := PROBE_VIDEO.match(path):
            scope["route"] = f"{API}/operator/uploads/{{id}}/video"
            await probe_video(scope, receive, send, match[1])
        elif match := REPORT_VIDEO.match(path):
            scope["route"] = f"{API}/operator/reports/{{report_id}}/video"
            await report_video(scope, receive, send, match[1])
        elif path == REPORTS:
            await reports(scope, receive, send)
        elif file := web.find(scope):
            await file.send(scope, send)
        else:
            await control(scope, receive, send)  # type: ignore[arg-type] # its own TypedDicts

    return dispatch


def build_litestar(house: House) -> Litestar:
    """Builds the JSON side, which is also what the OpenAPI document is generated from."""
    meters = Meters()
    house.log.listen(meters.hear)
    house.database.timing.listen(meters.hear_stage)
    traces = _traces(house)
    metrics = Metrics(meters, house.database, house.clock, house.settings)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await house.open()
        metrics.start()
        yield
        await metrics.stop()
        await house.close()
        if traces is not None:
            await asyncio.to_thread(traces.close)

    control = [*ACCOUNTS, *WAYS_IN, *PASSKEYS, *SESSIONS, *PAIRING, *KEYS, *KNOWN, *TRANSPARENCY, *MESSAGES]
    control += [*ACQUAINTANCES, *ABUSE, *AUDIT, *MINE, *NOTICES, *PLANS, *PAYMENTS]
    control += [*ADMISSION, *AVAILABILITY]
    control += [*LINKS, *PAGES, *OPERATORS]
    control += [*DESK, *OFFICE, *DESK_PLANS]
    routes = [*info.ROUTES, *health.ROUTES, *METRICS, *problem_pages.ROUTES, *control]
    return Litestar(
        route_handlers=[*options_of(routes), *routes],
        dependencies={name: _provide(attrgetter(f"house.{name}")) for name in PARTS}
        | {"house": _provide(attrgetter("house")), "actor": Provide(_actor)}
        | {"messages": Provide(_messages, sync_to_thread=False)}
        | {"house_messages": _provide(attrgetter("house.messages"))}
        | {"metering": _provide(attrgetter("metering")), "desk": _provide(attrgetter("desk"))}
        | {"entrance": _provide(attrgetter("entrance"))}
        | {"known": Provide(_known, sync_to_thread=False)},
        exception_handlers={Exception: answer},
        middleware=[strict_json],  # type: ignore[list-item] # our ASGI types are wider than its TypedDicts
        lifespan=[lifespan],
        state=State(
            {
                "house": house,
                "meters": meters,
                "metering": metrics,
                "traces": traces,
                **_desk(house),
            }
        ),
        openapi_config=contract(),
        request_max_body_size=None,
        logging_config=None,
        debug=False,
    )


def _traces(house: House) -> "Traces | None":
    """For an operator who has a collector; what it takes is loaded there only."""
    if not house.settings.traces_url:
        return None
    room = import_module("restante.server.tracing")
    traces: Traces = room.Traces(house.settings, house.log)
    house.database.timing.surround(traces.stage)
    return traces


def _desk(house: House) -> dict[str, object]:
    """What operators are served by."""
    desk = Desk(
        house.database,
        house.clock,
        house.settings,
        sessions=house.sessions,
        server_name=house.server_name,
        record_key=key_of(house.log_key),
    )
    return {"desk": desk, "entrance": Entrance(desk, house.clock, house.availability)}


def _provide(part: Callable[[State], Any]) -> Provide:
    """Looks a part up in the application's state, where the house is."""

    def found(state: State) -> Any:
        return part(state)

    return Provide(found, sync_to_thread=False)


def _messages(state: State, actor: NamedDependency[Actor]) -> Messages:  # noqa: ARG001 - nobody else has any
    """One after the other: what does not depend on each other the framework resolves in tasks, which cost more."""
    house: House = state.house
    return house.messages


def _known(state: State) -> Known:
    house: House = state.house
    return Known(house.database)


async def _actor(request: Request[Any, Any, State]) -> Actor:
    house: House = request.app.state.house
    found = await house.sessions.actor(token_of(request.scope["headers"]))
    request.scope["actor"] = house.log.actor(found.account_id)  # type: ignore[typeddict-unknown-key] # for the log line
    return found
