"""Turns whatever went wrong into application/problem+json (RFC 9457): no stack, no SQL, no path, no version."""

from litestar import Request
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Response

from restante.protocol.codes import CODES
from restante.protocol.ijson import encode
from restante.protocol.wire import Problem
from restante.server.errors import Refusal
from restante.server.log import Log

CONTENT_TYPE = "application/problem+json; charset=utf-8"
TYPE_BASE = "/problems/"
_BY_STATUS = {
    400: "bad-request",
    401: "not-signed-in",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "wrong-content-type",
}


def problem_of(refusal: Refusal, instance: str) -> Problem:
    """Fills the one JSON shape of all errors; ``instance`` is the request id."""
    entry = refusal.entry
    return Problem(
        type=TYPE_BASE + entry.code,
        title=entry.title,
        status=entry.status,
        code=entry.code,
        instance=instance,
        detail=refusal.detail,
        hint=entry.hint,
        retry_after=refusal.retry_after,
        recipients=refusal.recipients,
        limit=refusal.limit,
        used=refusal.used,
    )


def refusal_of(error: Exception) -> Refusal:
    """Translates the framework's exceptions; everything unknown is `internal`."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ValidationException):
        return Refusal("invalid", detail=_fields(error))
    if isinstance(error, HTTPException):
        code = _BY_STATUS.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")
        allow = {key.lower(): value for key, value in (error.headers or {}).items() if key.lower() == "allow"}
        return Refusal(code, headers=allow)
    return Refusal("internal")


def answer(request: Request, error: Exception) -> Response:  # type: ignore[type-arg] # Litestar's own generics say nothing here
    """Litestar's exception handler for everything."""
    refusal = refusal_of(error)
    request.scope["code"] = refusal.entry.code  # type: ignore[typeddict-unknown-key] # for the log line
    request_id = str(request.scope.get("request_id", ""))
    if refusal.entry is CODES["internal"]:
        log: Log = request.app.state.house.log
        log.fault(request_id, error)
    return Response(
        content=encode(problem_of(refusal, request_id)),
        status_code=refusal.entry.status,
        media_type=CONTENT_TYPE,
        headers=refusal.headers,
    )


def _fields(error: ValidationException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    return "; ".join(f"{item.get('key', '')}: {item.get('message', '')}".strip(": ") for item in extra)[:500]
