"""The messages room over HTTP: parse, one call, shape."""

import re
from typing import Annotated, Any, Literal, cast, get_args

from litestar import Request, Response, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response import Stream

from restante.protocol import limits
from restante.protocol.wire import Inbox, InboxItem, Mark, Sent, SentBox, SentItem
from restante.protocol.wire_messages import Forward
from restante.protocol.wire_pages import Left
from restante.server.asgi import Receive, Scope, read_body
from restante.server.availability.place import Places
from restante.server.errors import Refusal
from restante.server.messages import form, headers
from restante.server.messages.docs import EventsOperation, LeaveOperation, SendOperation
from restante.server.messages.listing import Page
from restante.server.messages.rules import Box
from restante.server.messages.service import Messages
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor, bearer_of, token_of
from restante.server.sessions.service import digest_of

AnyRequest = Request[Any, Any, Any]

_NUMBER = re.compile(r"[0-9]{1,16}\Z", re.ASCII)
ONE = (*SIGNED_IN, "not-found", "message-gone")
LIST = (*SIGNED_IN, "invalid")
SEND = (
    *SIGNED_IN,
    *CHANGE,
    *JSON_BODY,
    "bad-multipart",
    "bad-idempotency-key",
    "not-found",
    "no-such-recipient",
    "not-available-yet",
    "id-taken",
    "idempotency-in-flight",
    "upload-unfinished",
    "upload-claimed",
    "upload-gone",
    "claim-mismatch",
    "key-reused",
    "rate-limited",
    "plan-limit",
    "not-in-plan",
)
LEAVE = (
    *CHANGE,
    *JSON_BODY,
    "bad-multipart",
    "not-found",
    "id-taken",
    "upload-unfinished",
    "upload-claimed",
    "upload-gone",
    "claim-mismatch",
    "call-over",
)
_ETAG = ResponseHeader(name="ETag", value="", required=True, documentation_only=True)
_REPLAYED = ResponseHeader(
    name="Idempotent-Replayed",
    value="",
    description="`true` when this very send was stored before.",
    documentation_only=True,
)
FILE_HEADERS = {
    "Content-Disposition": 'attachment; filename="details.age"',
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


def _page(
    limit: Annotated[int, QueryParameter(ge=1, le=limits.PAGE_ITEMS, description="Items of a page.")] = 50,
    cursor: Annotated[
        str | None,
        QueryParameter(
            description="From the page before; other parameters of place are ignored then.",
            schema_extra={"pattern": "^[A-Za-z0-9_-]{22,256}$"},
        ),
    ] = None,
    since: Annotated[
        str | None,
        QueryParameter(
            description="Lists what changed after this `change`, tombstones included.",
            schema_extra={"type": "integer", "minimum": 0, "maximum": limits.JSON_INT},
        ),
    ] = None,
    envelopes: Annotated[
        Literal["inline", "none"], QueryParameter(description="Whether items carry their envelopes.")
    ] = "inline",
) -> Page:
    return Page(limit=limit, cursor=cursor, since=_change(since), with_envelopes=envelopes == "inline")


def _change(text: str | None) -> int | None:
    """[Note: Null in a query] The framework would read the text `null` as nothing given, wherever nothing may be given."""
    if text is None:
        return None
    if not _NUMBER.match(text) or int(text) > limits.JSON_INT:
        raise Refusal("invalid", detail="since: not a whole number from 0 to 2^53 - 1")
    return int(text)


def _box(text: str | None) -> Box | None:
    # Read here rather than by the framework: [Note: Null in a query].
    if text is not None and text not in get_args(Box):
        raise Refusal("invalid", detail=f"box: none of {', '.join(get_args(Box))}")
    return cast("Box | None", text)


PAGE = {"page": Provide(_page, sync_to_thread=False)}


@post(
    "/api/v1/messages",
    tags=["messages"],
    response_headers=[_REPLAYED],
    responses=refusals(*SEND),
    operation_class=SendOperation,
)
async def send_message(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    messages: NamedDependency[Messages],
    places: NamedDependency[Places],
) -> Response[Sent]:
    """Leaves a message for its recipients: all of it is stored, or nothing."""
    key = headers.idempotency_key(request.scope["headers"])
    kind = headers.content_type(request.scope["headers"])
    body = await read_body(
        cast("Scope", request.scope), cast("Receive", request.receive), limit=form.BODY_BYTES
    )
    seen = places.sighted(request.scope)  # type: ignore[arg-type] # its own TypedDict
    outcome = await messages.send(actor, key, form.parse_parcel(kind, body), seen=seen)
    request.scope["replayed"] = int(outcome.replayed)  # type: ignore[typeddict-unknown-key] # for the log line
    return Response(
        outcome.sent, status_code=201, headers={"Idempotent-Replayed": "true"} if outcome.replayed else {}
    )


@post(
    "/api/v1/calls/message",
    tags=["pages"],
    responses=refusals(*LEAVE),
    operation_class=LeaveOperation,
)
async def leave_message(request: AnyRequest, house_messages: NamedDependency[Messages]) -> Left:
    """Leaves a caller's message for the owner of a page, by the capability of the call in `Authorization`.

    All of it is stored, or nothing; the same again gets the same answer.
    """
    token = bearer_of(request.scope["headers"])
    kind = headers.content_type(request.scope["headers"])
    body = await read_body(
        cast("Scope", request.scope), cast("Receive", request.receive), limit=form.BODY_BYTES
    )
    return await house_messages.leave(token, form.parse_call(kind, body))


@get("/api/v1/inbox", tags=["messages"], responses=refusals(*LIST), dependencies=PAGE)
async def list_inbox(
    actor: NamedDependency[Actor], messages: NamedDependency[Messages], page: NamedDependency[Page]
) -> Inbox:
    """Lists what was received, newest first; with `since`, what changed, oldest change first."""
    return await messages.inbox(actor, page)


@get("/api/v1/sent", tags=["messages"], responses=refusals(*LIST), dependencies=PAGE)
async def list_sent(
    actor: NamedDependency[Actor], messages: NamedDependency[Messages], page: NamedDependency[Page]
) -> SentBox:
    """Lists what was sent and how far it came, newest first; with `since`, what changed, oldest change first."""
    return await messages.sent(actor, page)


@get("/api/v1/messages/{message_id:str}", tags=["messages"], responses=refusals(*ONE, "invalid"))
async def get_message(
    actor: NamedDependency[Actor],
    messages: NamedDependency[Messages],
    message_id: FromPath[str],
    box: Annotated[str | None, QueryParameter(schema_extra={"enum": list(get_args(Box))})] = None,
) -> InboxItem | SentItem:
    """Tells one message: as received, or else as sent; `box` says which when it was sent to oneself."""
    return await messages.item(actor, message_id, box=_box(box))


@get(
    "/api/v1/messages/{message_id:str}/details",
    tags=["messages"],
    media_type="application/octet-stream",
    response_headers=[_ETAG],
    responses=refusals(*ONE),
)
async def get_details(
    actor: NamedDependency[Actor], messages: NamedDependency[Messages], message_id: FromPath[str]
) -> Response[bytes]:
    """Gives details.age to the sender and the recipients."""
    data, etag = await messages.details(actor, message_id)
    return Response(data, headers={**FILE_HEADERS, "ETag": etag})


@post(
    "/api/v1/messages/{message_id:str}/marks",
    tags=["messages"],
    status_code=204,
    responses=refusals(*ONE, *CHANGE, *JSON_BODY),
)
async def mark_message(
    actor: NamedDependency[Actor],
    messages: NamedDependency[Messages],
    message_id: FromPath[str],
    data: JSONBody[Mark],
) -> None:
    """Notes that the recipient fetched or played it; `played` implies `fetched`; the first time of each stays."""
    await messages.mark(actor, message_id, data)


@post(
    "/api/v1/messages/{message_id:str}/forwards",
    tags=["messages"],
    status_code=204,
    responses=refusals(
        *ONE, *CHANGE, *JSON_BODY, "may-not-forward", "no-such-recipient", "not-available-yet", "rate-limited"
    ),
)
async def forward_message(
    actor: NamedDependency[Actor],
    messages: NamedDependency[Messages],
    message_id: FromPath[str],
    data: JSONBody[Forward],
    *,
    request: AnyRequest,
    places: NamedDependency[Places],
) -> None:
    """Passes a received message on, where its sender allowed it; who has or had it already gets nothing more."""
    await messages.forward(actor, message_id, data, seen=places.sighted(request.scope))  # type: ignore[arg-type] # its own TypedDict


@delete(
    "/api/v1/messages/{message_id:str}",
    tags=["messages"],
    responses=refusals(*SIGNED_IN, *CHANGE, "not-found", "invalid"),
)
async def delete_message(
    actor: NamedDependency[Actor],
    messages: NamedDependency[Messages],
    message_id: FromPath[str],
    whose: Annotated[Literal["me", "everyone"], QueryParameter(name="for", description="Whose copies go.")],
) -> None:
    """Deletes one's own copies, or as the sender everybody's; a second time changes nothing."""
    if whose == "me":
        await messages.delete_for_me(actor, message_id)
    else:
        await messages.delete_for_everyone(actor, message_id)


@get(
    "/api/v1/events",
    tags=["messages"],
    media_type="text/event-stream",
    response_description="Server-sent events, without end.",
    operation_class=EventsOperation,
    responses=refusals(*SIGNED_IN, "rate-limited"),
)
async def live_channel(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    messages: NamedDependency[Messages],
    last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None,
) -> Stream:
    """Tells what happens to the account's messages as it happens, and after `Last-Event-ID` what was missed."""
    messages.channel.admit(actor.account_id)
    token = token_of(request.scope["headers"])
    stream = messages.channel.stream(actor.account_id, last_event_id, token_sha256=digest_of(token))
    return Stream(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


ROUTES: list[HTTPRouteHandler] = [
    send_message,
    leave_message,
    list_inbox,
    list_sent,
    get_message,
    get_details,
    mark_message,
    forward_message,
    delete_message,
    live_channel,
]
