"""What a request shows of where it comes from."""

from dataclasses import dataclass
from typing import Literal

from restante.protocol.wire_availability import Platform

Source = Literal["declared", "proxy", "database"]
"""Who said what the country is."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The platform, and the country if anybody knows it."""

    platform: Platform = "other"
    country: str | None = None
    source: Source | None = None


NOWHERE = Sighting()
"""Of whoever shows nothing: it is open to them where it is open to everybody."""
