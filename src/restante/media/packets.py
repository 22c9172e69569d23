"""One name for what demuxers give and encoders make; libav's own is generic for type checkers only."""

from typing import Any, TypeAlias

from av.packet import Packet

__all__ = ["AnyPacket", "Packet"]

AnyPacket: TypeAlias = "Packet[Any]"
