"""Account records for everyone; keyring and state shards for the account."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from litestar import Request, Response, get, put
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, HeaderParameter, JSONBody

from restante.protocol import wire
from restante.protocol.limits import KEYRING_BYTES, SHARD_BYTES
from restante.protocol.names import is_name
from restante.server.asgi import Receive, Scope, headers_named, read_body
from restante.server.errors import Refusal
from restante.server.keys import preconditions, rules
from restante.server.keys.queries import Stored
from restante.server.keys.service import Keys
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.sessions.actor import Actor

SEALED = "application/octet-stream"
IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", description="The ETag of what is replaced.")]
IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-None-Match", description="`*` when there is nothing yet.", schema_extra={"enum": ["*"]}
    ),
]
_ETAG = ResponseHeader(
    name="ETag", value="", description="The version, for If-Match.", required=True, documentation_only=True
)
_PUT = refusals(
    *SIGNED_IN,
    *CHANGE,
    "not-found",
    "timeout",
    "stale-version",
    "too-large",
    "wrong-content-type",
    "invalid",
    "precondition-required",
)


@dataclass
class _SealedBody(Operation):
    """Documents a request body of bytes, which the framework would take for JSON."""

    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody(required=True, content={SEALED: OpenAPIMediaType(schema=schema)})


@get("/api/v1/accounts/{name:str}", tags=["keys"], responses=refusals("no-such-account"))
async def get_name(keys: NamedDependency[Keys], name: FromPath[str]) -> wire.NameState:
    """Tells whether somebody has the name; 404 is only for what can be no name. The sign-up itself decides."""
    return wire.NameState(taken=await keys.is_taken(_existing(name)))


@get("/api/v1/accounts/{name:str}/record", tags=["keys"], responses=refusals("no-such-account"))
async def get_record(keys: NamedDependency[Keys], name: FromPath[str]) -> wire.Record:
    """Returns the newest account record of a name. Verify it: the server's word is no proof."""
    return await keys.record(_existing(name))


@get("/api/v1/accounts/{name:str}/records", tags=["keys"], responses=refusals("no-such-account"))
async def get_records(keys: NamedDependency[Keys], name: FromPath[str]) -> wire.Records:
    """Returns all account records of a name, oldest first, so that the chain from a pinned one can be followed."""
    return await keys.records(_existing(name))


@put(
    "/api/v1/account/record",
    tags=["keys"],
    responses=refusals(
        *SIGNED_IN,
        *CHANGE,
        *JSON_BODY,
        "verification-needed",
        "no-such-account",
        "stale-record",
        "invalid-record",
    ),
)
async def put_record(
    actor: NamedDependency[Actor], keys: NamedDependency[Keys], data: JSONBody[wire.PutRecord]
) -> wire.Record:
    """Stores the account record that follows the newest one; storing the newest one again changes nothing.

    A new signing key needs a fresh verification.
    """
    return await keys.put_record(actor, data)


@get(
    "/api/v1/account/keyring",
    tags=["keys"],
    media_type=SEALED,
    response_headers=[_ETAG],
    responses=refusals(*SIGNED_IN, "not-found"),
)
async def get_keyring(actor: NamedDependency[Actor], keys: NamedDependency[Keys]) -> Response[bytes]:
    """Returns keyring.age."""
    return _sealed(await keys.keyring(actor))


@put(
    "/api/v1/account/keyring",
    tags=["keys"],
    status_code=204,
    operation_class=_SealedBody,
    response_headers=[_ETAG],
    responses=_PUT,
)
async def put_keyring(
    actor: NamedDependency[Actor],
    keys: NamedDependency[Keys],
    request: Request[Any, Any, Any],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[None]:
    """Replaces keyring.age, if the one stored is the one that If-Match names."""
    precondition = preconditions.read(if_match, if_none_match)
    data = await _body(request, limit=KEYRING_BYTES)
    return _stored(await keys.put_keyring(actor, data, precondition))


@get("/api/v1/account/state", tags=["keys"], responses=refusals(*SIGNED_IN))
async def list_shards(actor: NamedDependency[Actor], keys: NamedDependency[Keys]) -> wire.Shards:
    """Lists the state shards with their versions."""
    return await keys.shards(actor)


@get(
    "/api/v1/account/state/{shard:str}",
    tags=["keys"],
    media_type=SEALED,
    response_headers=[_ETAG],
    responses=refusals(*SIGNED_IN, "not-found"),
)
async def get_shard(
    actor: NamedDependency[Actor], keys: NamedDependency[Keys], shard: FromPath[str]
) -> Response[bytes]:
    """Returns a state shard."""
    return _sealed(await keys.shard(actor, _shard(shard)))


@put(
    "/api/v1/account/state/{shard:str}",
    tags=["keys"],
    status_code=204,
    operation_class=_SealedBody,
    response_headers=[_ETAG],
    responses=_PUT,
)
async def put_shard(
    actor: NamedDependency[Actor],
    keys: NamedDependency[Keys],
    request: Request[Any, Any, Any],
    *,
    shard: FromPath[str],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[None]:
    """Adds a state shard (If-None-Match: *) or replaces the one that If-Match names."""
    name = _shard(shard)
    precondition = preconditions.read(if_match, if_none_match)
    data = await _body(request, limit=SHARD_BYTES)
    return _stored(await keys.put_shard(actor, name, data, precondition))


async def _body(request: Request[Any, Any, Any], *, limit: int) -> bytes:
    values = headers_named(request.scope["headers"], b"content-type")
    if [value.strip().lower() for value in values] != [SEALED.encode()]:
        raise Refusal("wrong-content-type", detail=f"{SEALED} is expected")
    scope, receive = cast("Scope", request.scope), cast("Receive", request.receive)
    return await read_body(scope, receive, limit=limit)


def _sealed(stored: Stored) -> Response[bytes]:
    return Response(stored.data, media_type=SEALED, headers={"etag": preconditions.etag(stored.version)})


def _stored(version: str) -> Response[None]:
    return Response(None, status_code=204, headers={"etag": preconditions.etag(version)})


def _existing(name: FromPath[str]) -> str:
    if not is_name(name):
        raise Refusal("no-such-account")
    return name


def _shard(name: FromPath[str]) -> str:
    if not rules.is_shard_name(name):
        raise Refusal("not-found")
    return name


ROUTES: list[HTTPRouteHandler] = [
    get_name,
    get_record,
    get_records,
    put_record,
    get_keyring,
    put_keyring,
    list_shards,
    get_shard,
    put_shard,
]
