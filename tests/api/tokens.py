"""The secret behind a guest link or a page's link, as far as a server sees of it."""

import hashlib
import os

from restante.protocol.encoding import b64


class Secret:
    """A bearer, and what the server knows it by."""

    def __init__(self) -> None:
        raw = os.urandom(32)
        self.bearer = b64(raw)
        self.sha256 = b64(hashlib.sha256(raw).digest())

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.bearer}"}
