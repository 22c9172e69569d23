"""The uploads in the OpenAPI document, by hand: they bypass the framework, which therefore knows nothing of them."""

from typing import Any

from restante.server.problem_docs import CHANGE, SIGNED_IN, written_refusals
from restante.server.uploads.rules import BODY_TYPE
from restante.server.uploads.tus import COLLECTION, VERSION

Part = dict[str, Any]

_ONE = (*SIGNED_IN, "tus-version", "not-found", "upload-gone")
_WRITE = (*CHANGE, "bad-length", "wrong-content-type", "too-large", "upload-gone", "locked")
_NUMBER = {"type": "string", "pattern": "^[0-9]{1,18}$"}
_TEXT = {"type": "string"}
_VERSION = {"type": "string", "enum": [VERSION]}
_BODY = {"content": {BODY_TYPE.decode(): {"schema": {"type": "string", "format": "binary"}}}}


def _parameter(name: str, schema: Part, text: str, *, required: bool = False) -> Part:
    return {"name": name, "in": "header", "required": required, "schema": schema, "description": text}


def _header(schema: Part, text: str, *, required: bool = True) -> Part:
    return {"schema": schema, "required": required, "description": text}


_ID = {
    "name": "upload_id",
    "in": "path",
    "required": True,
    "schema": _TEXT,
    "description": "From its Location.",
}
_SPOKEN = _parameter("Tus-Resumable", _VERSION, "The version of tus.", required=True)
_LENGTH = _parameter("Upload-Length", _NUMBER, "Size of the whole upload, once it is known.")
_RESUMABLE = _header(_VERSION, "The version of tus.")
_OFFSET = _header(_NUMBER, "How many bytes are durable.")
_EXPIRES = _header(_TEXT, "When the upload ends if nothing more happens to it.")


def _answer(text: str, **headers: Part) -> Part:
    named = {name.replace("_", "-").title(): header for name, header in headers.items()}
    return {"description": text, "headers": {"Tus-Resumable": _RESUMABLE, **named}}


def _operation(name: str, text: str, *parameters: Part, answers: Part, **more: Any) -> Part:
    return {
        "operationId": name,
        "tags": ["uploads"],
        "description": text,
        "parameters": list(parameters),
        "responses": answers,
        **more,
    }


def _bodiless(refusals: Part) -> Part:
    """To a HEAD only status and headers are answered."""
    return {status: {"description": refusal["description"]} for status, refusal in refusals.items()}


_OPTIONS = _answer(
    "What is spoken here.",
    tus_version=_header(_TEXT, "All versions that are spoken."),
    tus_extension=_header(_TEXT, "All extensions, separated by commas."),
    tus_max_size=_header(_NUMBER, "Largest upload, in bytes."),
)
_CREATED = _answer(
    "The upload exists, with what the body brought.",
    location=_header({"type": "string", "format": "uri-reference"}, "Its relative address."),
    upload_capability=_header(_TEXT, "A bearer token that is good for this one upload."),
    upload_offset=_OFFSET,
    upload_expires=_EXPIRES,
)
_STANDING = _answer(
    "Where the upload stands; whoever still writes to it lets go.",
    upload_offset=_OFFSET,
    upload_length=_header(_NUMBER, "Size of the whole upload.", required=False),
    upload_defer_length=_header(
        {"type": "string", "enum": ["1"]}, "The size is not known yet.", required=False
    ),
    upload_expires=_EXPIRES,
)

_COLLECTION = {
    "options": _operation(
        "tus_options", "Tells which tus is spoken here.", answers={"204": _OPTIONS} | written_refusals()
    ),
    "post": _operation(
        "create_upload",
        "Creates an upload, with its first bytes if a body is sent. Exactly one of Upload-Length and Upload-Defer-Length.",
        _SPOKEN,
        _LENGTH,
        _parameter("Upload-Defer-Length", {"type": "string", "enum": ["1"]}, "The size is told later."),
        _parameter("Upload-Metadata", _TEXT, "Judged for its form, then forgotten."),
        requestBody={"required": False, **_BODY},
        answers={"201": _CREATED}
        | written_refusals(
            *SIGNED_IN,
            *_WRITE,
            "tus-version",
            "bad-metadata",
            "rate-limited",
            "too-many-uploads",
            "plan-limit",
        ),
    ),
}
_UPLOAD = {
    "head": _operation(
        "upload_offset",
        "Tells where an upload stands.",
        _ID,
        _SPOKEN,
        answers={"200": _STANDING} | _bodiless(written_refusals(*_ONE)),
    ),
    "patch": _operation(
        "append_to_upload",
        "Appends the body. What arrived stays, however the body ends; the last byte finishes the upload.",
        _ID,
        _SPOKEN,
        _parameter("Upload-Offset", _NUMBER, "Where the body starts: the durable offset.", required=True),
        _LENGTH,
        requestBody={"required": True, **_BODY},
        answers={"204": _answer("All of it is durable.", upload_offset=_OFFSET, upload_expires=_EXPIRES)}
        | written_refusals(*_ONE, *_WRITE, "offset-mismatch", "upload-finished"),
    ),
    "delete": _operation(
        "terminate_upload",
        "Removes an upload and its bytes.",
        _ID,
        _SPOKEN,
        answers={"204": _answer("It is gone.")}
        | written_refusals(*_ONE, *CHANGE, "upload-claimed", "locked"),
    ),
}

PATHS: Part = {COLLECTION: _COLLECTION, f"{COLLECTION}/{{upload_id}}": _UPLOAD}
