"""Receipts: whether this account tells what it fetched and played, how it signs so, and what senders make of it.

>>> choose(account, "signed")
>>> choice(account)
'signed'
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

import msgspec

from restante.client.account import Account, now_ms
from restante.client.http import JSON
from restante.client.opened import Item, Message
from restante.client.people import People
from restante.client.shards import change_shard, load_shard
from restante.crypto.receipts import Receipt, check_receipt, write_receipt
from restante.crypto.receiving import Trust
from restante.crypto.state import SETTINGS, Setting, Settings
from restante.protocol import ijson, wire
from restante.protocol.encoding import b64, unb64
from restante.signing.errors import ProtocolError

Choice = Literal["signed", "plain", "off"]
"""``signed``: with a receipt; ``plain``: the server says so, nothing is signed; ``off``: nobody is told."""
Word = Literal["played", "delivered", "wrong"]
_SETTING = "receipts"
_CHOICES = frozenset({"signed", "plain", "off"})


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a recipient signed of a sent message, or that what the server gave as their receipt is wrong."""

    word: Word
    at: int | None = None
    code: str | None = None


def choice(account: Account) -> Choice:
    """What the owner chose; ``plain`` until they did."""
    entry = load_shard(account, SETTINGS, Settings).settings.get(_SETTING)
    value = entry.value if entry else None
    return cast("Choice", value) if value in _CHOICES else "plain"


def choose(account: Account, chosen: Choice) -> None:
    """Stores the choice, for every device of the account."""
    change_shard(account, SETTINGS, Settings, partial(_with, chosen=chosen, at=now_ms()))


def tell(account: Account, item: Item, mark: Literal["fetched", "played"]) -> None:
    """Marks a received message, as the owner chose to tell it."""
    chosen = choice(account)
    receipt = _receipt(account, item, mark) if chosen == "signed" else None
    body = wire.Mark(mark, tell=chosen != "off", receipt=receipt)
    path = f"/api/v1/messages/{item.id}/marks"
    account.session.call("POST", path, content=ijson.encode(body), headers=JSON)


def confirmed(account: Account, item: Item, people: People) -> dict[str, Confirmed]:
    """What the recipients of a sent message signed, by name; who signed nothing is not in it."""
    if not isinstance(item.listed, wire.SentItem) or item.message is None:
        return {}
    found = {each.recipient: _check(account, item, each, people) for each in item.listed.deliveries}
    return {name: one for name, one in found.items() if one is not None}


def _with(settings: Settings, *, chosen: str, at: int) -> Settings:
    news = {_SETTING: Setting(value=chosen, at=at)}
    return settings.merge(msgspec.structs.replace(settings, settings=news))


def _receipt(account: Account, item: Item, mark: str) -> str | None:
    """Nobody but a signed sender can have one."""
    opened = item.message.opened if item.message else None
    if opened is None or opened.signer is None or opened.trust is Trust.UNSIGNED:
        return None
    if opened.original is not None:
        return None  # who passed it on is not told, and who sent it does not know of it
    kind = Receipt.PLAYED if mark == "played" else Receipt.DELIVERED
    raw = write_receipt(
        kind,
        opened.fields,
        me=account.acct,
        signer=opened.signer,
        key=account.keyring.signing_key,
        now_ms=now_ms(),
    )
    return b64(raw)


def _check(account: Account, item: Item, delivery: wire.Delivery, people: People) -> Confirmed | None:
    given = {Receipt.PLAYED: delivery.play_receipt, Receipt.DELIVERED: delivery.delivery_receipt}
    for kind, text in given.items():
        if text is not None:
            keys = _keys(account, people, delivery.recipient)
            return _checked(account, item.require(), people.acct_of(delivery.recipient), (kind, text), keys)
    return None


def _keys(account: Account, people: People, name: str) -> set[bytes]:
    """The keys known of a recipient: the pinned one and those before it; one's own."""
    by = people.acct_of(name)
    if by == account.acct:
        return set(account.me.keys)
    pin = people.pin(by)
    return {pin.key, *(unb64(key) for key in pin.former)} if pin else set()


def _checked(
    account: Account, message: Message, by: str, given: tuple[Receipt, str], keys: set[bytes]
) -> Confirmed:
    kind, text = given
    try:
        fields = check_receipt(
            unb64(text),
            kind,
            of=message.opened.fields,
            by=by,
            keys=keys,
            my_keys=account.me.keys,
            now_ms=now_ms(),
        )
    except ProtocolError as error:
        return Confirmed("wrong", code=error.code)
    except ValueError:
        return Confirmed("wrong", code="receipt-malformed")
    return Confirmed(fields.kind.value, fields.at)
