"""The OpenAPI document: what the framework reads off the routes, completed by what it cannot know."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from inspect import cleandoc
from typing import Any

import msgspec
from litestar import Response, Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPI

from restante import __version__
from restante.protocol import (
    wire,
    wire_availability,
    wire_desk,
    wire_desk_plans,
    wire_links,
    wire_messages,
    wire_mine,
    wire_office,
    wire_operators,
    wire_pages,
    wire_passkeys,
    wire_people,
    wire_plans,
    wire_push,
)
from restante.server.errors import Refusal
from restante.server.messages import docs as message_docs
from restante.server.sessions.actor import COOKIE
from restante.server.uploads import docs as upload_docs

Part = dict[str, Any]

PATH = "/api/v1/openapi"
SCHEMES: Part = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A session's token, or an upload's capability.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A session in a browser."},
}
WIRE_MODULES = (
    wire,
    wire_availability,
    wire_desk,
    wire_desk_plans,
    wire_links,
    wire_messages,
    wire_mine,
    wire_office,
    wire_operators,
    wire_pages,
    wire_passkeys,
    wire_people,
    wire_plans,
    wire_push,
)
_UNREFERENCED = (wire.Hint, wire.Send, wire_pages.CallMessage)
"""Types that travel inside others: as an event's data, as a part of a form."""
_WIRE = {name: kind for module in WIRE_MODULES for name, kind in vars(module).items()}
"""Every wire type by its name, whichever domain's module it stands in."""
_FOR_ANYONE_TOO = ("begin_registration",)
"""Operations that ask who is there only when the body does not say it."""
_FRAMEWORKS_NOISE = ("allowEmptyValue", "allowReserved", "deprecated")


@dataclass
class Contract(OpenAPIConfig):
    """Makes the framework hand out the completed document, wherever it is asked for it."""

    def to_openapi_schema(self) -> OpenAPI:
        """Returns the document without its paths, which the framework adds."""
        plain = super().to_openapi_schema()
        return _Document(**{field.name: getattr(plain, field.name) for field in fields(plain)})


@dataclass
class _Document(OpenAPI):
    def to_schema(self) -> Part:
        return completed(super().to_schema())


def contract() -> Contract:
    """The configuration of the framework."""
    router = Router(PATH, route_handlers=[], include_in_schema=False, after_request=_refuse_unknown)
    return Contract(
        title="Restante",
        version=__version__,
        description="Leave a video, it waits for them. The server moves ciphertext and can read none of it.",
        openapi_router=router,
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, *_: handler.handler_name,
    )


def completed(document: Part) -> Part:
    """Adds the paths beside the framework, the wire types as msgspec reads them, and who may ask."""
    schemas = [_WIRE[name] for name in document["components"]["schemas"]]
    document["components"] = {"schemas": _schemas(*schemas, *_UNREFERENCED), "securitySchemes": SCHEMES}
    for operation in _operations(document):
        operation.pop("summary", None)
        _tidy(operation)
    document["paths"] |= upload_docs.PATHS | message_docs.PATHS
    for operation in _operations(document):
        operation["security"] = _security(operation)
    return document


def _security(operation: Part) -> list[Part]:
    if not _asks_who(operation):
        return []
    nobody: list[Part] = [{}] if operation["operationId"] in _FOR_ANYONE_TOO else []
    return [*nobody, *({name: []} for name in SCHEMES)]


def _schemas(*types: type) -> Part:
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    for schema in schemas.values():
        schema["description"] = cleandoc(schema.get("description", ""))
    return schemas


def _operations(document: Part) -> Iterator[Part]:
    for item in document["paths"].values():
        yield from item.values()


def _asks_who(operation: Part) -> bool:
    return "`not-signed-in`" in operation["responses"].get("401", {}).get("description", "")


def _tidy(operation: Part) -> None:
    """An answer without a body has none, and a parameter that may be absent is not null."""
    operation["responses"].get("204", {}).pop("content", None)
    parameters = operation.get("parameters", [])
    headers = [
        header for answer in operation["responses"].values() for header in answer.get("headers", {}).values()
    ]
    for part in (operation, *parameters, *headers):
        for name in _FRAMEWORKS_NOISE:
            part.pop(name, None)
    for parameter in parameters:
        either = parameter["schema"].pop("oneOf", [])
        parameter["schema"] = (
            next((one for one in either if one != {"type": "null"}), {}) | parameter["schema"]
        )


async def _refuse_unknown(response: Response[Any]) -> Response[Any]:
    """The framework would answer a page of its own."""
    if response.status_code == 404:
        raise Refusal("not-found")
    return response
