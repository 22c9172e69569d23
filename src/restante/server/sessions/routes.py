"""Where an account is signed in, and signing out."""

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol import wire
from restante.server.errors import Refusal
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor
from restante.server.sessions.cookies import signed_out
from restante.server.sessions.service import Sessions

CURRENT = "current"
OTHERS = "others"


@get("/api/v1/sessions", tags=["sessions"], responses=refusals(*SIGNED_IN))
async def list_sessions(actor: NamedDependency[Actor], sessions: NamedDependency[Sessions]) -> wire.Sessions:
    """Lists where the account is signed in, the place used last first."""
    return await sessions.list(actor)


@delete(
    "/api/v1/sessions/{session_id:str}",
    tags=["sessions"],
    responses=refusals(*SIGNED_IN, *CHANGE, "not-found", "verification-needed"),
)
async def revoke_session(
    actor: NamedDependency[Actor], sessions: NamedDependency[Sessions], session_id: FromPath[str]
) -> Response[None]:
    """Ends a session of the account; `current` is the one that asks, `others` all but that. Any other than `current` needs fresh verification."""
    if session_id == OTHERS:
        await sessions.revoke_others(actor)
        return Response(None, status_code=204)
    ended = actor.session_id if session_id == CURRENT else session_id
    await sessions.revoke(actor, ended)
    return signed_out() if ended == actor.session_id else Response(None, status_code=204)


@delete("/api/v1/sessions", tags=["sessions"], responses=refusals(*SIGNED_IN, *CHANGE, "verification-needed"))
async def revoke_all_sessions(
    actor: NamedDependency[Actor], sessions: NamedDependency[Sessions]
) -> Response[None]:
    """Ends all sessions of the account, the one that asks too; needs fresh verification."""
    await sessions.revoke_all(actor)
    return signed_out()


@put(
    "/api/v1/sessions/{session_id:str}",
    tags=["sessions"],
    status_code=204,
    responses=refusals(*SIGNED_IN, *CHANGE, *JSON_BODY, "not-found"),
)
async def introduce_session(
    actor: NamedDependency[Actor],
    sessions: NamedDependency[Sessions],
    data: JSONBody[wire.Introduction],
    session_id: FromPath[str],
) -> None:
    """Says what `current`, the session that asks, calls itself, and which device of the account's keyring it is."""
    if session_id not in (CURRENT, actor.session_id):
        raise Refusal("not-found")
    await sessions.introduce(actor, data)


ROUTES: list[HTTPRouteHandler] = [list_sessions, introduce_session, revoke_session, revoke_all_sessions]
