"""Whose an upload is: its account's, by a session, and whoever bears its capability.

[Note: Whose upload] A capability is asked on any node, which has to look in the shard of the upload's account. So it is made like the token of a
session: it tells our nodes whose it is, and its bearer nothing. What is stored, and compared, is the hash of the whole.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from restante.protocol import limits
from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, is_id
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.sessions.actor import Actor
from restante.server.sessions.tokens import TOKEN_BYTES, account_in, new_token
from restante.server.uploads import queries, rules
from restante.server.uploads.opened import OpenUpload
from restante.server.uploads.queries import Upload

Who = Callable[[str], Awaitable[Actor]]
"""The actor of a session's token. Raises Refusal not-signed-in."""


class Access:
    """Looks for uploads in the shard of who asks. See [Note: Whose upload]."""

    def __init__(self, database: Database, clock: Clock, *, key: bytes) -> None:
        self._database = database
        self._clock = clock
        self._key = key

    def new_capability(self, account_id: int) -> str:
        """Makes the token of a new upload."""
        return b64(new_token(account_id, key=self._key))

    def account_in(self, token: str) -> int | None:
        """The account that a capability names; None for one of another kind, or of the release before. It proves nothing."""
        try:
            return account_in(unb64(token, size=TOKEN_BYTES), key=self._key)
        except ValueError:
            return None

    async def owns(self, upload: OpenUpload, token: str, who: Who) -> bool:
        """Tells whether a token gives the right to an open upload."""
        if self._is_capability(
            token, upload.capability_sha256, upload.created_at, by_caller=upload.by_caller
        ):
            return True
        with suppress(Refusal):
            return (await who(token)).account_id == upload.account_id and not upload.by_caller
        return False

    async def row(self, upload_id: str, token: str, who: Who) -> Upload:
        """The upload to which a token gives the right. Raises Refusal not-found, upload-gone, not-signed-in."""
        account_id = self.account_in(token)
        row = None if account_id is None else await self.find(upload_id, account_id)
        if row is None or not self._fits(row, token):
            row = await self._otherwise(upload_id, token, who)
        if row.gone_at is not None:
            raise Refusal("upload-gone")
        return row

    async def find(self, upload_id: str, account_id: int | None) -> Upload | None:
        """An account's upload; None for the account asks every shard."""
        if not is_id(upload_id, Prefix.UPLOAD):
            return None
        if account_id is None:
            return await self._database.read(partial(queries.find_anybodys, upload_id=upload_id))
        return await self._database.read(partial(queries.find, account_id=account_id, upload_id=upload_id))

    async def _otherwise(self, upload_id: str, token: str, who: Who) -> Upload:
        """By a session of the account, or by a capability that a node of the release before made: it names no account."""
        try:
            account_id = (await who(token)).account_id
        except Refusal:
            row = await self.find(upload_id, None)
            if row is None or not self._fits(row, token):
                raise
            return row
        row = await self.find(upload_id, account_id)
        if row is None or row.call_sha256 is not None:
            raise Refusal("not-found")
        return row

    def _fits(self, row: Upload, token: str) -> bool:
        by_caller = row.call_sha256 is not None
        return self._is_capability(token, row.capability_sha256, row.created_at, by_caller=by_caller)

    def _is_capability(self, token: str, sha256: bytes, created_ms: int, *, by_caller: bool) -> bool:
        age_ms = self._clock.now_ms() - created_ms
        fits = hmac.compare_digest(digest_of(token), sha256)
        return fits and age_ms < rules.to_ms(limits.CALL_FOR if by_caller else limits.UPLOAD_CAPABILITY_FOR)


def digest_of(token: str) -> bytes:
    """Hashes a capability as it is stored."""
    return hashlib.sha256(token.encode()).digest()
