"""What travels about who runs the server."""

from typing import Annotated

import msgspec
from msgspec import Meta

from restante.protocol.wire_base import B64, Instant


class OperatorClaim(msgspec.Struct, frozen=True):
    """Shows the secret of the link that the server printed; whoever is signed in becomes its operator."""

    link: Annotated[B64, Meta(max_length=43)]


class Operator(msgspec.Struct, frozen=True):
    """Since when the account runs this server; None: it does not.

    ``phones`` is the page by which devices of the same network learn to trust this server, for operators, or empty.
    """

    since: Instant | None
    phones: str
