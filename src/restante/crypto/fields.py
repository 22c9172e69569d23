"""Types that the structs of this room share: numbers and texts with their bounds."""

from typing import Annotated

import msgspec

from restante.protocol.encoding import unb64
from restante.protocol.limits import JSON_INT

Millis = Annotated[int, msgspec.Meta(ge=0, le=JSON_INT)]
Count = Annotated[int, msgspec.Meta(ge=0, le=JSON_INT)]
Rev = Annotated[int, msgspec.Meta(ge=1, le=JSON_INT)]
Name = Annotated[str, msgspec.Meta(max_length=64)]
Label = Annotated[str, msgspec.Meta(max_length=64)]


def is_b64(text: str, size: int) -> bool:
    """Tells whether the text is the base64url of so many bytes."""
    try:
        unb64(text, size=size)
    except ValueError:
        return False
    return True
