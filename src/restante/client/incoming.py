"""The mailbox: what was received and what was sent, listed, followed, marked and deleted.

>>> mailbox = Mailbox(account)
>>> [item.message.sender for item in mailbox.inbox()]
['ada']
>>> item = mailbox.find("1")
>>> mailbox.mark(item, "fetched")
>>> mailbox.find(item.id).state
'delivered'
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from restante.client import receipts
from restante.client.account import Account
from restante.client.errors import (
    AnswerMalformed,
    ClientError,
    MessageAmbiguous,
    MessageMissing,
    MessageUnknown,
    ServerProblem,
    Unreachable,
)
from restante.client.opened import Item, Message
from restante.client.opening import Opener
from restante.client.previous import Received, forget_sent
from restante.protocol import wire
from restante.protocol.ids import Prefix, is_id
from restante.signing.errors import ProtocolError

Box = Literal["inbox", "sent"]
Wire = wire.InboxItem | wire.SentItem
_PAGE = "50"
_PREFIX = "msg_"


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in the inbox, the oldest first; ``since`` is where the next question begins."""

    items: list[Item]
    since: int


class Mailbox:
    """The two boxes of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._opener = Opener(account)
        self._received = Received(account)
        self._listed_ids: set[str] = set()
        """Everything that the inbox was ever seen to have, tombstones among them."""

    def inbox(self, *, sender: str | None = None, hidden: bool = False) -> list[Item]:
        """Lists what was received, the newest first; what cannot be opened is listed with its reason.

        ``sender`` shows what one of them left. ``hidden`` shows also what ignored and blocked people did.
        """
        items = self._with_gaps(self._opened("inbox", self._listed("inbox", envelopes="inline")))
        placed = [replace(item, place=place) for place, item in enumerate(items, start=1)]
        return [
            item
            for item in placed
            if (hidden or item.standing != "hidden") and (sender is None or item.sender == sender)
        ]

    def sent(self) -> list[Item]:
        """Lists what was sent, the newest first."""
        return self._opened("sent", self._listed("sent", envelopes="inline"))

    def changes(self, since: int) -> Changes:
        """Lists what changed in the inbox after ``since``; deleted ones among them."""
        found = list(self._listed("inbox", envelopes="inline", since=str(since)))
        items = self._with_gaps(self._opened("inbox", found))
        items = [item for item in items if item.standing != "hidden"]
        return Changes(items, max([since, *(item.change for item in found)]))

    def find(self, reference: str) -> Item:
        """Finds one message by the beginning of its id, or by its place in the inbox: 1 is the newest.

        Raises MessageUnknown or MessageAmbiguous.
        """
        return self._opened_at(*self._locate(reference))

    def _opened_at(self, box: Box, message_id: str) -> Item:
        shape: type[wire.InboxItem | wire.SentItem] = wire.InboxItem if box == "inbox" else wire.SentItem
        try:
            found: Wire = self._account.session.get(f"/api/v1/messages/{message_id}", shape, box=box)
        except ServerProblem as problem:
            if problem.code in ("not-found", "message-gone"):
                raise MessageUnknown from problem
            raise
        if found.id != message_id:
            raise AnswerMalformed("another message than the one asked for")
        return self._opened(box, [found])[0]

    def mark(self, item: Item, mark: Literal["fetched", "played"]) -> None:
        """Tells the sender that it was fetched, or played; for what one sent oneself there is nothing to tell."""
        if item.box == "inbox":
            receipts.tell(self._account, item, mark)

    def delete_for_me(self, reference: str) -> str:
        """Deletes one's own copies, also of a message that cannot be opened. Returns the id."""
        return self._delete(reference, "me")

    def delete_for_everyone(self, reference: str) -> str:
        """Deletes a message that one sent, from every mailbox. Returns the id."""
        return self._delete(reference, "everyone")

    def _delete(self, reference: str, whose: str) -> str:
        box, message_id = self._locate(reference)
        if box == "inbox":
            self._opened_at(box, message_id)  # from here on it is known to have come, and is never missed
        self._account.session.call("DELETE", f"/api/v1/messages/{message_id}", query={"for": whose})
        (self._account.profile.details / f"{message_id}.age").unlink(missing_ok=True)
        if whose == "everyone":
            forget_sent(self._account, message_id)
        return message_id

    def _locate(self, reference: str) -> tuple[Box, str]:
        if reference.isascii() and reference.isdigit():
            return "inbox", self._nth(int(reference))
        beginning = reference if reference.startswith(_PREFIX) else _PREFIX + reference
        matches: dict[str, Box] = {}
        for box in ("sent", "inbox"):
            for item in self._listed(box, envelopes="none"):
                if item.id.startswith(beginning):
                    matches[item.id] = box
        if not matches:
            raise MessageUnknown
        if len(matches) > 1:
            raise MessageAmbiguous
        (message_id, box), *_ = matches.items()
        return box, message_id

    def _nth(self, place: int) -> str:
        for index, item in enumerate(self._listed("inbox", envelopes="none"), start=1):
            if index == place:
                return item.id
        raise MessageUnknown

    def _listed(self, box: Box, **query: str) -> Iterator[Wire]:
        """Pages through a list; deleted ones are left out, unless changes are asked for."""
        shape: type[wire.Inbox | wire.SentBox] = wire.Inbox if box == "inbox" else wire.SentBox
        cursor: str | None = None
        cursors: set[str] = set()
        while cursor not in cursors:
            cursors |= {cursor} if cursor else set()
            place = {"cursor": cursor} if cursor else {}
            page: wire.Inbox | wire.SentBox = self._account.session.get(
                f"/api/v1/{box}", shape, limit=_PAGE, **query, **place
            )
            for item in page.items:
                if not is_id(item.id, Prefix.MESSAGE):
                    raise AnswerMalformed("a message's id")
                if box == "inbox":
                    self._listed_ids.add(item.id)
                if item.deleted_at is None or "since" in query:
                    yield item
            if not (cursor := page.cursor):
                return
        raise AnswerMalformed("a list without end")

    def _opened(self, box: Box, items: Iterable[Wire]) -> list[Item]:
        opened = [self._opened_one(box, item) for item in items]
        self._opener.save()
        return opened

    def _with_gaps(self, items: list[Item]) -> list[Item]:
        """Marks those whose sender names an earlier message that never came: the server may hold it back."""
        return [
            replace(item, gap=MessageMissing(item.message.sender or ""))
            if self._is_after_gap(item) and item.message
            else item
            for item in items
        ]

    def _is_after_gap(self, item: Item) -> bool:
        prev = item.message.opened.fields.prev if item.message else None
        return prev is not None and prev not in self._listed_ids and not self._received.has(prev)

    def _opened_one(self, box: Box, item: Wire) -> Item:
        if item.deleted_at is not None:
            return Item(box, item)
        try:
            opened = (
                self._opener.open_sent(item) if isinstance(item, wire.SentItem) else self._opener.open(item)
            )
            message = Message(opened, self._opener.details(opened))
            standing = self._opener.standing(opened) if box == "inbox" else "known"
            return Item(box, item, message, standing=standing)
        except Unreachable:
            raise
        except (ProtocolError, ClientError) as trouble:
            if isinstance(trouble, ServerProblem) and trouble.status in (401, 429):
                raise
            return Item(box, item, trouble=trouble)
