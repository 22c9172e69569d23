"""By what an account is told of news."""

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from restante.protocol.wire_push import Mail, MailCode, Notices, PutMail, PutSubscription, Quiet, Subscription
from restante.server.problem_docs import CHANGE, JSON_BODY, SIGNED_IN, refusals
from restante.server.push.service import Push
from restante.server.sessions.actor import Actor

_PUT = (*SIGNED_IN, *CHANGE, *JSON_BODY)
_DELETE = (*SIGNED_IN, *CHANGE)
_CONFIRM = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Restante</title>
<form method="post"><p>Stop mail to this address?</p><p><button>Stop mail</button></p></form>
"""
_STOPPED = "No more mail will come.\n"
_PAGE = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}


@get("/api/v1/notices", tags=["notices"], responses=refusals(*SIGNED_IN))
async def get_notices(actor: NamedDependency[Actor], push: NamedDependency[Push]) -> Notices:
    """Tells how the account is told of news, and by which key this server sends push messages."""
    return await push.list(actor)


@put(
    "/api/v1/notices/push",
    tags=["notices"],
    responses=refusals(*_PUT, "endpoint-refused"),
)
async def put_subscription(
    actor: NamedDependency[Actor], push: NamedDependency[Push], data: JSONBody[PutSubscription]
) -> Subscription:
    """Has this browser told; the same endpoint again renews it. It ends with the session."""
    return await push.subscribe(actor, data)


@delete(
    "/api/v1/notices/push/{subscription_id:str}",
    tags=["notices"],
    responses=refusals(*_DELETE, "not-found"),
)
async def remove_subscription(
    actor: NamedDependency[Actor], push: NamedDependency[Push], subscription_id: FromPath[str]
) -> None:
    """Has a browser told no more."""
    await push.unsubscribe(actor, subscription_id)


@put("/api/v1/notices/quiet", tags=["notices"], status_code=204, responses=refusals(*_PUT))
async def put_quiet(
    actor: NamedDependency[Actor], push: NamedDependency[Push], data: JSONBody[Quiet]
) -> None:
    """Sets the hours in which nobody is disturbed; what comes then is told once at their end."""
    await push.set_quiet(actor, data)


@delete("/api/v1/notices/quiet", tags=["notices"], responses=refusals(*_DELETE))
async def remove_quiet(actor: NamedDependency[Actor], push: NamedDependency[Push]) -> None:
    """Ends quiet hours."""
    await push.set_quiet(actor, None)


@put(
    "/api/v1/notices/mail",
    tags=["notices"],
    status_code=204,
    responses=refusals(*_PUT, "mail-unavailable", "rate-limited"),
)
async def put_mail(
    actor: NamedDependency[Actor], push: NamedDependency[Push], data: JSONBody[PutMail]
) -> None:
    """Sets the address that is written to; a code goes there first, unless it is verified already."""
    await push.set_mail(actor, data)


@post(
    "/api/v1/notices/mail/verification",
    tags=["notices"],
    status_code=200,
    responses=refusals(*_PUT, "wrong-code", "rate-limited"),
)
async def verify_mail(
    actor: NamedDependency[Actor], push: NamedDependency[Push], data: JSONBody[MailCode]
) -> Mail:
    """Takes the code that was sent to the address."""
    return await push.verify_mail(actor, data.code)


@delete("/api/v1/notices/mail", tags=["notices"], responses=refusals(*_DELETE))
async def remove_mail(actor: NamedDependency[Actor], push: NamedDependency[Push]) -> None:
    """Ends mail and forgets the address."""
    await push.set_mail(actor, None)


@get(
    "/api/v1/mail/stop/{token:str}",
    tags=["notices"],
    media_type="text/html",
    sync_to_thread=False,
    responses=refusals(),
)
def ask_to_stop(token: FromPath[str]) -> Response[str]:  # noqa: ARG001 - it is in the form's own address
    """Asks whether mail shall stop: programs that follow every link in a mail must not stop it."""
    return Response(_CONFIRM, headers=_PAGE)


@post(
    "/api/v1/mail/stop/{token:str}",
    tags=["notices"],
    media_type="text/plain",
    status_code=200,
    responses=refusals("storage-full", "forbidden-origin"),
)
async def stop_mail(push: NamedDependency[Push], token: FromPath[str]) -> str:
    """Ends mail to one address, by a link in it or one click (RFC 8058); the answer is the same for any link."""
    await push.stop_mail(token)
    return _STOPPED


ROUTES: list[HTTPRouteHandler] = [
    get_notices,
    put_subscription,
    remove_subscription,
    put_quiet,
    remove_quiet,
    put_mail,
    verify_mail,
    remove_mail,
    ask_to_stop,
    stop_mail,
]
