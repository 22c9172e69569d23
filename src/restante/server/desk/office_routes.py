"""Who may come in, and the work that waits, at the desk over HTTP: parse, one call, shape."""

from typing import Annotated, Any

from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from restante.protocol import limits
from restante.protocol.wire_office import (
    DeskDoors,
    DeskInviteForm,
    DeskInviteMade,
    DeskInvites,
    DeskPreview,
    DeskRetry,
    DeskSwitches,
    DeskWaiting,
    DeskWork,
)
from restante.server.desk.entrance import Entrance
from restante.server.desk.service import Desk
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor

_SEES = refusals(*SIGNED_IN, "not-found", "passkey-needed", "invalid")
_ASKS = refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "not-found", "passkey-needed")
_CHANGES = refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "not-found", "passkey-needed", "verification-needed")
_TAG = ["operator"]
AnyRequest = Request[Any, Any, Any]


@get("/api/v1/operator/availability", tags=_TAG, responses=_SEES)
async def get_doors(
    request: AnyRequest, actor: NamedDependency[Actor], entrance: NamedDependency[Entrance]
) -> DeskDoors:
    """Tells what is open in which country and on which platform, by the file and by switches over it."""
    return await entrance.doors(actor, request.scope["headers"])


@post("/api/v1/operator/availability/preview", tags=_TAG, status_code=200, responses=_ASKS)
async def preview_switches(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    entrance: NamedDependency[Entrance],
    data: JSONBody[DeskSwitches],
) -> DeskPreview:
    """Tells what people see now, and what they would see with other switches. Changes nothing."""
    return await entrance.preview(actor, request.scope["headers"], data)


@put("/api/v1/operator/availability", tags=_TAG, status_code=200, responses=_CHANGES)
async def put_switches(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    entrance: NamedDependency[Entrance],
    data: JSONBody[DeskSwitches],
) -> DeskDoors:
    """Puts switches in the place of all that there are; what is not named falls back to the file."""
    return await entrance.switch(actor, request.scope["headers"], data)


@get("/api/v1/operator/waiting", tags=_TAG, responses=_SEES)
async def list_waiting(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    entrance: NamedDependency[Entrance],
    after: Annotated[
        int, QueryParameter(ge=0, le=limits.JSON_INT, description="Lists who asked after this one.")
    ] = 0,
) -> DeskWaiting:
    """Lists who asked to be told that it opens, and counts them by place."""
    return await entrance.waiting(actor, request.scope["headers"], after=after)


@post(
    "/api/v1/operator/waiting/{waiting_id:int}/invite",
    tags=_TAG,
    status_code=204,
    responses=refusals(
        *SIGNED_IN,
        *CHANGE,
        "not-found",
        "passkey-needed",
        "verification-needed",
        "not-available-yet",
        "invalid",
    ),
)
async def invite_waiting(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    entrance: NamedDependency[Entrance],
    waiting_id: FromPath[int],
) -> None:
    """Lets somebody who waits into the beta where they are: an account at once, anybody else by a code in a mail."""
    await entrance.let_in(actor, request.scope["headers"], waiting_id)


@get("/api/v1/operator/invites", tags=_TAG, responses=_SEES)
async def list_invites(
    request: AnyRequest, actor: NamedDependency[Actor], entrance: NamedDependency[Entrance]
) -> DeskInvites:
    """Lists invites, the newest first."""
    return await entrance.invites(actor, request.scope["headers"])


@post("/api/v1/operator/invites", tags=_TAG, responses=_CHANGES)
async def make_invite(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    entrance: NamedDependency[Entrance],
    data: JSONBody[DeskInviteForm],
) -> DeskInviteMade:
    """Makes an invite, and tells its code this once."""
    return await entrance.make(actor, request.scope["headers"], data)


@delete(
    "/api/v1/operator/invites/{invite_id:str}",
    tags=_TAG,
    responses=refusals(*SIGNED_IN, *CHANGE, "not-found", "passkey-needed", "verification-needed"),
)
async def revoke_invite(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    entrance: NamedDependency[Entrance],
    invite_id: FromPath[str],
) -> None:
    """Takes an invite back; who was let in by it stays."""
    await entrance.revoke(actor, request.scope["headers"], invite_id)


@get("/api/v1/operator/work", tags=_TAG, responses=_SEES)
async def get_work(
    request: AnyRequest, actor: NamedDependency[Actor], desk: NamedDependency[Desk]
) -> DeskWork:
    """Counts the work that is to be done beside the requests, by kind, and what of it failed."""
    return await desk.work(actor, request.scope["headers"])


@post("/api/v1/operator/work", tags=_TAG, status_code=200, responses=_CHANGES)
async def retry_work(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    desk: NamedDependency[Desk],
    data: JSONBody[DeskRetry],
) -> DeskWork:
    """Has what failed of a kind tried again now."""
    return await desk.retry(actor, request.scope["headers"], data.kind)


ROUTES: list[HTTPRouteHandler] = [
    get_doors,
    preview_switches,
    put_switches,
    list_waiting,
    invite_waiting,
    list_invites,
    make_invite,
    revoke_invite,
    get_work,
    retry_work,
]
