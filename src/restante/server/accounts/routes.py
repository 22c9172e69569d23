"""Sign-up and sign-in."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol import wire
from restante.protocol.names import is_name
from restante.server.accounts.service import Accounts, Entry
from restante.server.admission.routes import provider_cookie
from restante.server.availability.place import Places
from restante.server.config import Settings
from restante.server.errors import Refusal
from restante.server.limits.prefixes import prefix_of_request
from restante.server.log import Log
from restante.server.passkeys.shapes import PasskeyRefused
from restante.server.problem_docs import CHANGE, JSON_BODY, refusals
from restante.server.sessions.cookies import session_cookie


@post(
    "/api/v1/accounts",
    tags=["accounts"],
    responses=refusals(
        *JSON_BODY,
        *CHANGE,
        "sign-up-closed",
        "ticket-needed",
        "ticket-refused",
        "ticket-used",
        "not-available-yet",
        "name-taken",
        "invalid-name",
        "invalid-record",
        "passkey-refused",
        "rate-limited",
    ),
)
async def sign_up(
    data: JSONBody[wire.SignUp],
    request: Request[Any, Any, Any],
    *,
    accounts: NamedDependency[Accounts],
    places: NamedDependency[Places],
    settings: NamedDependency[Settings],
) -> Response[wire.SignedIn]:
    """Makes an account and signs it in; a web client's token is in the cookie `__Host-session`."""
    entry = await accounts.sign_up(
        data,
        prefix=_prefix(request, settings),
        seen=places.sighted(request.scope),  # type: ignore[arg-type] # its own TypedDict
        browser=provider_cookie(request.scope["headers"]),
    )
    return _entered(entry, 201)


@post(
    "/api/v1/sign-in",
    tags=["accounts"],
    status_code=201,
    responses=refusals(*JSON_BODY, *CHANGE, "sign-in-refused", "rate-limited"),
)
async def sign_in(
    data: JSONBody[wire.SignIn],
    request: Request[Any, Any, Any],
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    log: NamedDependency[Log],
) -> Response[wire.SignedIn]:
    """Signs in by the bearer of a way in; a wrong name and a wrong bearer get the same answer."""
    try:
        entry = await accounts.sign_in(data, prefix=_prefix(request, settings))
    except Refusal as refusal:
        _log_refusal(log, request, refusal)
        raise
    return _entered(entry, 201)


@post(
    "/api/v1/sign-in/passkey",
    tags=["accounts"],
    status_code=201,
    responses=refusals(*JSON_BODY, *CHANGE, "passkey-refused", "rate-limited"),
)
async def sign_in_by_passkey(
    data: JSONBody[wire.SignInByPasskey],
    request: Request[Any, Any, Any],
    *,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    log: NamedDependency[Log],
) -> Response[wire.SignedIn]:
    """Signs in by a passkey, which says whose it is; whatever is wrong with it gets the same answer."""
    try:
        entry = await accounts.sign_in_by_passkey(data, prefix=_prefix(request, settings))
    except Refusal as refusal:
        _log_refusal(log, request, refusal)
        raise
    return _entered(entry, 201)


@get("/api/v1/sign-in/{name:str}/salt", tags=["accounts"], responses=refusals("no-such-account"))
async def sign_in_salt(accounts: NamedDependency[Accounts], name: FromPath[str]) -> wire.Salt:
    """Returns the salt of a name's passphrase; a name that nobody has gets one too, always the same."""
    if not is_name(name):
        raise Refusal("no-such-account")
    return await accounts.salt(name)


def _prefix(request: Request[Any, Any, Any], settings: Settings) -> str:
    return prefix_of_request(request.scope, settings.trusted_proxies)  # type: ignore[arg-type] # its own TypedDict


def _log_refusal(log: Log, request: Request[Any, Any, Any], refusal: Refusal) -> None:
    """Who it was is not told; of a passkey, why, since nobody else is."""
    reason = refusal.reason if isinstance(refusal, PasskeyRefused) else ""
    request_id = str(request.scope["request_id"])  # type: ignore[typeddict-item] # put there by the guard
    log.event("sign-in-failed", request_id=request_id, code=refusal.entry.code, reason=reason)


def _entered(entry: Entry, status: int) -> Response[wire.SignedIn]:
    session = entry.session
    if entry.client == "web":
        body = wire.SignedIn(acct=entry.acct, session_id=session.id, token="")
        return Response(body, status_code=status, cookies=[session_cookie(session)])
    return Response(
        wire.SignedIn(acct=entry.acct, session_id=session.id, token=session.token), status_code=status
    )


ROUTES: list[HTTPRouteHandler] = [sign_up, sign_in, sign_in_by_passkey, sign_in_salt]
