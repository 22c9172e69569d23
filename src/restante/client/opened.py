"""What a mailbox shows: items of both boxes, opened, or with the reason why not.

>>> item = Mailbox(account).inbox()[0]
>>> item.state, item.message.sender, item.message.details.caption
('stored', 'ada', 'Hello')
"""

from dataclasses import dataclass, field
from typing import Literal

from restante.client.errors import ClientError, MessageMissing
from restante.crypto.details import Details
from restante.crypto.envelopes import LINK_PREFIX
from restante.crypto.receiving import Opened, Trust
from restante.protocol import wire
from restante.protocol.names import split_acct
from restante.signing.errors import ProtocolError

State = Literal["stored", "delivered", "played", "deleted", "damaged"]
Standing = Literal["known", "request", "hidden"]
"""Of a received one's sender: `request` when they wrote first and wait, `hidden` when the owner ignores or blocked them."""
Trouble = ProtocolError | ClientError
"""Why an item is not shown; both have ``code`` and ``hint``."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that passed every check."""

    opened: Opened = field(repr=False)
    details: Details = field(repr=False)

    @property
    def id(self) -> str:
        """The signed id."""
        return self.opened.fields.id

    @property
    def sender(self) -> str | None:
        """The signed sender's name, or address when on another server; None when nobody signed."""
        origin = self.opened.fields.from_
        if origin is None or origin.acct is None or self.opened.trust is Trust.UNSIGNED:
            return None
        return self._short(origin.acct)

    @property
    def sent_to(self) -> tuple[str, ...]:
        """The recipients by the sender's own copy; empty for a received message."""
        return tuple(self._short(acct) for acct in self.opened.fields.sent_to or ())

    def _short(self, acct: str) -> str:
        if acct.startswith(LINK_PREFIX):
            return "link"
        mine = self.opened.fields.to.acct
        name, server = split_acct(acct)
        return name if mine is not None and split_acct(mine)[1] == server else acct


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the inbox or of what was sent; exactly one of ``message`` and ``trouble`` is there unless deleted."""

    box: Literal["inbox", "sent"]
    listed: wire.InboxItem | wire.SentItem = field(repr=False)
    message: Message | None = field(default=None, repr=False)
    trouble: Trouble | None = None
    gap: MessageMissing | None = None
    """The sender's previous message never came."""
    standing: Standing = "known"
    place: int | None = None
    """Its number in the inbox: 1 is the newest."""

    @property
    def id(self) -> str:
        """The message's id."""
        return self.listed.id

    @property
    def sender(self) -> str | None:
        """The name that signed it; of a damaged one, whom the server names; None when nobody signed."""
        if self.message is not None:
            return self.message.sender
        return self.listed.sender if isinstance(self.listed, wire.InboxItem) else None

    @property
    def state(self) -> State:
        """How far the message came, or ``damaged``."""
        if self.listed.deleted_at is not None:
            return "deleted"
        if self.trouble is not None:
            return "damaged"
        if isinstance(self.listed, wire.SentItem):
            return self.listed.state
        if self.listed.played_at is not None:
            return "played"
        return "stored" if self.listed.fetched_at is None else "delivered"

    def require(self) -> Message:
        """Returns the message, or raises why it is not shown."""
        if self.trouble is not None:
            raise self.trouble
        assert self.message is not None
        return self.message
