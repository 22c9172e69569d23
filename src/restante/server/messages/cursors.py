"""Cursors: where a list goes on, sealed with a MAC, so that nobody pages through what is not theirs."""

import hashlib
import hmac

from restante.protocol import ijson
from restante.protocol.encoding import b64, unb64
from restante.server.errors import Refusal
from restante.server.messages.rules import Box, Position

_MAC_BYTES = 16
_MAX_CHARS = 256


class Cursors:
    """Writes and reads cursors; each is good for one account, one box and one order."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, account_id: int, box: Box, position: Position) -> str:
        """Seals a position."""
        payload = ijson.encode([position.order, position.at, position.id])
        return b64(self._mac(account_id, box, payload) + payload)

    def read(self, account_id: int, box: Box, text: str) -> Position:
        """Opens a cursor. Raises Refusal invalid for anything that this server did not write for this list."""
        try:
            data = unb64(text) if len(text) <= _MAX_CHARS else b""
        except ValueError:
            data = b""
        mac, payload = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(account_id, box, payload)):
            raise Refusal("invalid", detail="cursor: not one of this list")
        order, at, message_id = ijson.loads(payload)
        return Position(order, at, message_id)

    def _mac(self, account_id: int, box: Box, payload: bytes) -> bytes:
        text = b"%d\0%s\0%s" % (account_id, box.encode(), payload)
        return hmac.new(self._key, text, hashlib.sha256).digest()[:_MAC_BYTES]
