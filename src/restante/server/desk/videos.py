"""The video of a reported message, and the bytes by which a device tries the way, for operators."""

from restante.server.asgi import Scope
from restante.server.desk.service import Desk
from restante.server.messages.download import Ref
from restante.server.sessions.actor import token_of
from restante.server.sessions.service import Sessions


class ReportVideos:
    """Gives a report's video to operators who showed a moment ago who they are."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        self._desk = desk
        self._sessions = sessions

    async def find(self, scope: Scope, asked_id: str) -> Ref:
        """Where the video is. Raises Refusal not-signed-in, not-found, passkey-needed, verification-needed."""
        actor = await self._sessions.actor(token_of(scope["headers"]))
        upload_id, size = await self._desk.video(actor, scope["headers"], asked_id)
        return Ref(upload_id, size, f'"{upload_id}"', None)


class ProbeVideos:
    """Gives an operator back what they have just uploaded, in ranges: so a device tries the way through the proxies."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        self._desk = desk
        self._sessions = sessions

    async def find(self, scope: Scope, asked_id: str) -> Ref:
        """Where it is. Raises Refusal not-signed-in, not-found, passkey-needed."""
        actor = await self._sessions.actor(token_of(scope["headers"]))
        upload_id, size = await self._desk.probe(actor, scope["headers"], asked_id)
        return Ref(upload_id, size, f'"{upload_id}"', None)
