"""How messages look: as JSON for machines and as rows for people."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from restante.cli.terminal import say
from restante.client.errors import printable
from restante.client.opened import Item
from restante.client.receipts import Confirmed
from restante.protocol import wire

_STATES = {"stored": "new", "delivered": "fetched"}
_ID_CHARS = 12
_CAPTION_CHARS = 60


def as_json(item: Item, *, me: str) -> dict[str, Any]:
    """Describes an item. Times are Unix milliseconds; what only an opened message tells is null in a damaged one."""
    message = item.message
    video = message.details.video if message else None
    return {
        "id": item.id,
        "from": _sender(item, me),
        "to": _recipients(item, me),
        "created_at": message.opened.fields.created if message else item.listed.received_at,
        "received_at": item.listed.received_at,
        "duration_s": video.ms / 1000 if video else None,
        "caption": message.details.caption if message else None,
        "state": item.state,
        "kind": item.listed.kind,
        "text": (message.details.text or message.details.reaction) if message else None,
        "reply_to": message.opened.fields.reply_to if message else None,
        "expires_at": item.listed.expires_at,
        "until_played": item.listed.until_played,
        "once": message.opened.fields.once if message else None,
        "may_forward": item.listed.may_forward,
        "forwarded": _forwarded(item),
        "trust": message.opened.trust.value if message else None,
        "gap": item.gap is not None,
        "request": item.standing == "request",
        "error": {"code": item.trouble.code, "sentence": str(item.trouble), "hint": item.trouble.hint}
        if item.trouble
        else None,
    }


def _forwarded(item: Item) -> dict[str, Any] | None:
    """Who sent what was passed on; null where their key is not known: then it is only the word of who passed it on."""
    original = item.message.opened.original if item.message else None
    if original is None:
        return None
    return {"from": original.acct or None, "created_at": original.created if original.acct else None}


def inbox_rows(items: Sequence[Item], *, me: str, kept: Collection[str] = ()) -> list[list[str]]:
    """Makes the rows of an inbox, numbered as `save` takes the numbers; kept ones have a star."""
    rows = [
        [
            f"{item.place or number}{'*' if item.id in kept else ''}",
            _when(item),
            _from(item, me),
            *_rest(item),
        ]
        for number, item in enumerate(items, start=1)
    ]
    return [["#", "when", "from", "length", "state", "id", "caption"], *rows] if rows else []


def sent_rows(
    items: Sequence[Item], *, me: str, receipts: Mapping[str, Mapping[str, Confirmed]]
) -> list[list[str]]:
    """Makes the rows of what was sent; ``receipts`` by message and recipient."""
    rows = [
        [_when(item), ", ".join(_recipients(item, me)), *_rest(item), _signed(receipts[item.id])]
        for item in items
    ]
    return [["when", "to", "length", "state", "id", "caption", "signed"], *rows] if rows else []


def deliveries_json(item: Item, receipts: Mapping[str, Confirmed]) -> list[dict[str, Any]]:
    """Describes how far a sent message came: the server's word, and beside it what the recipient signed."""
    assert isinstance(item.listed, wire.SentItem)
    return [
        {
            "recipient": one.recipient,
            "fetched_at": one.fetched_at,
            "played_at": one.played_at,
            "deleted_at": one.deleted_at,
            "receipt": asdict(receipts[one.recipient]) if one.recipient in receipts else None,
        }
        for one in item.listed.deliveries
    ]


def _signed(receipts: Mapping[str, Confirmed]) -> str:
    return ", ".join(f"{name} {one.word}" for name, one in sorted(receipts.items()))


def one_row(item: Item, *, me: str) -> list[str]:
    """Makes the row of a message that comes while the inbox is followed."""
    return [_when(item), _from(item, me), *_rest(item)]


def tell_troubles(items: Iterable[Item]) -> None:
    """Says what is wrong with damaged ones."""
    for item in items:
        if item.trouble is not None:
            say(f"warning: {item.id}: {item.trouble} ({item.trouble.code})")
        if item.gap is not None:
            say(f"warning: {item.id}: {item.gap} ({item.gap.code}). {item.gap.hint}")


def _rest(item: Item) -> list[str]:
    message = item.message
    video = message.details.video if message else None
    length = f"{video.ms // 60_000}:{video.ms // 1000 % 60:02}" if video else ""
    caption = printable(
        (message.details.caption or message.details.text or message.details.reaction or "") if message else ""
    )
    state = item.state
    if item.box == "inbox":
        state = _STATES.get(state, state)  # type: ignore[assignment] # words for people
    return [length, state, item.id[:_ID_CHARS], caption[:_CAPTION_CHARS]]


def _when(item: Item) -> str:
    created = item.message.opened.fields.created if item.message else item.listed.received_at
    return f"{datetime.fromtimestamp(created / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"


def _sender(item: Item, me: str) -> str | None:
    """The signed sender; of a damaged message, the one that the server names."""
    if item.message is not None:
        return item.message.sender
    return me if isinstance(item.listed, wire.SentItem) else item.listed.sender


def _from(item: Item, me: str) -> str:
    name = _sender(item, me) or "unsigned"
    return f"{name} (request)" if item.standing == "request" else name


def _recipients(item: Item, me: str) -> list[str]:
    if isinstance(item.listed, wire.InboxItem):
        return [me]
    if item.message is not None:
        return list(item.message.sent_to)
    return [delivery.recipient for delivery in item.listed.deliveries]
