"""What OpenAPI cannot learn from signatures: the send's header and multipart body, the events, and the video's download."""

from dataclasses import dataclass
from typing import Any

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.encoding import Encoding
from litestar.openapi.spec.enums import OpenAPIFormat

from restante.protocol import limits
from restante.protocol.wire_messages import VIDEO_PIECES
from restante.server.problem_docs import SIGNED_IN, written_refusals

_BINARY = "application/octet-stream"


@dataclass
class SendOperation(Operation):
    """Adds the Idempotency-Key and the parts; one part ``envelope:<name>`` for each recipient besides them."""

    def __post_init__(self) -> None:
        """Fills what the framework left open."""
        self.parameters = [*(self.parameters or []), _key()]
        self.request_body = RequestBody(
            required=True,
            description="One part `envelope:<name>` for each name in `recipients` and one `link:<place>` for each of `links`, "
            "besides the parts named here.",
            content={
                "multipart/form-data": OpenAPIMediaType(
                    schema=_parts(),
                    encoding={
                        "message": Encoding(content_type="application/json"),
                        "details": Encoding(content_type=_BINARY),
                        "sent": Encoding(content_type=_BINARY),
                    },
                )
            },
        )


@dataclass
class LeaveOperation(Operation):
    """Adds the parts of what a caller leaves."""

    def __post_init__(self) -> None:
        """Fills what the framework left open."""
        parts = {
            "message": Reference(ref="#/components/schemas/CallMessage"),
            "details": _file(limits.DETAILS_BYTES, "details.age"),
            "envelope:owner": _file(limits.ENVELOPE_BYTES, "envelope.age for the owner of the page"),
        }
        schema = Schema(type=OpenAPIType.OBJECT, required=list(parts), properties=parts)  # type: ignore[arg-type] # a dict of both
        encoding = {"message": Encoding(content_type="application/json")}
        self.request_body = RequestBody(
            required=True, content={"multipart/form-data": OpenAPIMediaType(schema=schema, encoding=encoding)}
        )


def _key() -> Parameter:
    return Parameter(
        name="Idempotency-Key",
        param_in="header",
        required=True,
        description="16 to 64 characters, bare or quoted; the same key with the same request gets the same answer.",
        schema=Schema(type=OpenAPIType.STRING, pattern=r"^[A-Za-z0-9._~:+/=-]{16,64}$"),
    )


def _file(most: int, text: str) -> Schema:
    return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY, max_length=most, description=text)


def _parts() -> Schema:
    return Schema(
        type=OpenAPIType.OBJECT,
        required=["message", "details"],
        properties={
            "message": Reference(ref="#/components/schemas/Send"),
            "details": _file(limits.DETAILS_BYTES, "details.age"),
            "sent": _file(
                limits.ENVELOPE_BYTES,
                "envelope.age for the sender's own account; only a message to nobody but oneself may be without",
            ),
        },
        additional_properties=_file(limits.ENVELOPE_BYTES, "envelope.age for a recipient"),
    )


@dataclass
class EventsOperation(Operation):
    """Describes one event: the schema of an endless stream is that of its events, by their fields."""

    def __post_init__(self) -> None:
        """Fills what the framework left open."""
        answer = (self.responses or {})["200"]
        answer.content = {"text/event-stream": OpenAPIMediaType(schema=_event())}  # type: ignore[union-attr] # no Reference


def _event() -> Schema:
    return Schema(
        type=OpenAPIType.OBJECT,
        required=["id", "event", "data"],
        properties={
            "id": Schema(type=OpenAPIType.STRING, pattern="^[0-9]{1,18}$", description="For Last-Event-ID."),
            "event": Schema(type=OpenAPIType.STRING, enum=["message", "mark", "deleted", "resync"]),
            "data": Schema(
                type=OpenAPIType.STRING,
                content_media_type="application/json",
                description="A Hint: that something happened to a message, never what it says.",
            ),
            "retry": Schema(type=OpenAPIType.INTEGER),
        },
    )


Part = dict[str, Any]

_TEXT = {"type": "string"}
_BYTES = {"content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}}}
_PIECE = {
    "type": "object",
    "required": ["offset", "size", "url"],
    "properties": {
        "offset": {"type": "integer", "minimum": 0},
        "size": {"type": "integer", "minimum": 1},
        "url": {"type": "string", "format": "uri", "maxLength": 4096},
    },
}
_PIECES = {
    "type": "object",
    "description": "Pieces without gaps, the first with the first byte asked for; they may end early. Each is read by a GET "
    "without credentials, for `for_s` seconds.",
    "required": ["pieces", "for_s"],
    "properties": {
        "pieces": {"type": "array", "minItems": 1, "maxItems": 64, "items": _PIECE},
        "for_s": {"type": "integer", "minimum": 1},
    },
}
_BYTES_OR_PIECES = {"content": {**_BYTES["content"], VIDEO_PIECES: {"schema": _PIECES}}}
_ETAG = {"schema": _TEXT, "required": True, "description": "Strong: for If-Range and If-None-Match."}
_SPAN = {"schema": _TEXT, "required": True, "description": "Which bytes these are, and of how many."}
_WANTED = {"Range": "One range of bytes.", "If-Range": "An ETag.", "If-None-Match": "ETags."}


def _video(name: str, text: str, refusals: tuple[str, ...], of: Part, *, body: Part) -> Part:
    refused = written_refusals(*refusals, "not-found", "range-unsatisfiable")
    if not body:
        refused = {status: {"description": refusal["description"]} for status, refusal in refused.items()}
    headers = [
        {"name": header, "in": "header", "required": False, "schema": _TEXT, "description": means}
        for header, means in _WANTED.items()
    ]
    return {
        "operationId": name,
        "tags": ["messages"],
        "description": text,
        "parameters": [of, *headers],
        "responses": {
            "200": {
                "description": "All of it.",
                "headers": {"ETag": {**_ETAG, "required": not body}},
                **(body and _BYTES_OR_PIECES),
            },
            "206": {"description": "The range.", "headers": {"ETag": _ETAG, "Content-Range": _SPAN}, **body},
            "304": {"description": "What If-None-Match names.", "headers": {"ETag": _ETAG}},
            **refused,
        },
    }


_OF_MESSAGE = {"name": "message_id", "in": "path", "required": True, "schema": _TEXT}
_OF_LINK = {**_OF_MESSAGE, "name": "link_id"}
_TO_ACCOUNTS = (*SIGNED_IN, "message-gone")
_TO_GUESTS = ("view-over", "link-gone")
_WHERE = f" Where the operator lets clients read from the bucket, a GET that accepts `{VIDEO_PIECES}` is told where instead."
_WHOLE = "Gives video.age to the sender and the recipients, whole or a range." + _WHERE
_WHOLE_GUEST = "Gives video.age to the token of a view, whole or a range." + _WHERE
_WOULD = "Tells what a GET would answer."

PATHS: Part = {
    "/api/v1/messages/{message_id}/video": {
        "get": _video("get_video", _WHOLE, _TO_ACCOUNTS, _OF_MESSAGE, body=_BYTES),
        "head": _video("head_video", _WOULD, _TO_ACCOUNTS, _OF_MESSAGE, body={}),
    },
    "/api/v1/links/{link_id}/video": {
        "get": _video("get_link_video", _WHOLE_GUEST, _TO_GUESTS, _OF_LINK, body=_BYTES),
        "head": _video("head_link_video", _WOULD, _TO_GUESTS, _OF_LINK, body={}),
    },
}
"""The download bypasses the framework, which therefore knows nothing of it."""
