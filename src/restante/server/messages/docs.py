"""What OpenAPI cannot learn from the signature of the send: its header and its multipart body."""

from dataclasses import dataclass

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.encoding import Encoding
from litestar.openapi.spec.enums import OpenAPIFormat

from restante.protocol import limits

_BINARY = "application/octet-stream"


@dataclass
class SendOperation(Operation):
    """Adds the Idempotency-Key and the parts; one part ``envelope:<name>`` for each recipient besides them."""

    def __post_init__(self) -> None:
        """Fills what the framework left open."""
        self.parameters = [*(self.parameters or []), _key()]
        self.request_body = RequestBody(
            required=True,
            description="One part `envelope:<name>` for each name in `recipients`, besides the parts named here.",
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


def _key() -> Parameter:
    return Parameter(
        name="Idempotency-Key",
        param_in="header",
        required=True,
        description="16 to 64 characters, bare or quoted; the same key with the same request gets the same answer.",
        schema=Schema(type=OpenAPIType.STRING, pattern=r"^[A-Za-z0-9._~:+/=-]{16,64}$"),
    )


def _parts() -> Schema:
    def file(most: int, text: str) -> Schema:
        return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY, max_length=most, description=text)

    return Schema(
        type=OpenAPIType.OBJECT,
        required=["message", "details", "sent"],
        properties={
            "message": _message(),
            "details": file(limits.DETAILS_BYTES, "details.age"),
            "sent": file(limits.ENVELOPE_BYTES, "envelope.age for the sender's own account"),
        },
        additional_properties=file(limits.ENVELOPE_BYTES, "envelope.age for a recipient"),
    )


def _message() -> Schema:
    return Schema(
        type=OpenAPIType.OBJECT,
        description="What the server must know of the message.",
        required=["id", "kind", "details_sha256", "recipients"],
        properties={
            "id": _text("^msg_[a-z2-7]{25}[aeimquy4]$"),
            "kind": Schema(type=OpenAPIType.STRING, enum=["video", "text", "reaction"]),
            "details_sha256": _text("^[A-Za-z0-9_-]{43}$"),
            "recipients": Schema(
                type=OpenAPIType.ARRAY,
                items=_text("^[a-z0-9_-]{3,32}$"),
                min_items=1,
                max_items=limits.RECIPIENTS,
                unique_items=True,
            ),
            "upload": _text("^upl_[a-z2-7]{25}[aeimquy4]$"),
            "expires_at": Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=limits.JSON_INT),
        },
    )


def _text(pattern: str) -> Schema:
    return Schema(type=OpenAPIType.STRING, pattern=pattern)
