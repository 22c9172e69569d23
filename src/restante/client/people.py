"""Other accounts: their records with the whole history, checked against what is pinned in the shard ``contacts``.

    >>> (record,) = People(account).recipients(["grace"])
    >>> record.acct == f"grace@{account.identity.server_name}"
    True

Trust on first use: an account never met is pinned by its record; from then on a lower revision, a broken chain and a
changed key are refused, until the person accepts the change. Pins are written in batches, by ``save``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from restante.client.account import Account, now_ms
from restante.client.errors import BadName, UnknownServer
from restante.client.http import JSON
from restante.client.key_log import KeyLog
from restante.client.record_chain import Logged, check_chain, fetch_logged
from restante.client.shards import change_shard, load_shard
from restante.crypto import pins
from restante.crypto.contacts import Blocked, Contact, Request, RequestState, Verified, join_contacts
from restante.crypto.errors import FingerprintMismatch, SafetyNumberChanged, WrongSigner
from restante.crypto.pins import Pin
from restante.crypto.safety import SafetyNumber, safety_number
from restante.crypto.state import CONTACTS, Contacts
from restante.protocol import ijson, wire_people
from restante.protocol.encoding import b64, unb64
from restante.protocol.names import is_name, split_acct
from restante.signing import records
from restante.signing.keys import fp
from restante.signing.records import Record

Trust = Literal["verified", "succeeded", "none"]
"""`succeeded`: another key than once, signed with the old one, and not compared since."""
Decision = Literal["accepted", "ignored", "blocked", "unblocked"]
_DECISIONS: dict[Decision, tuple[RequestState | None, bool, wire_people.AcquaintanceState]] = {
    "accepted": (RequestState.ACCEPTED, False, "accepted"),
    "ignored": (RequestState.DECLINED, False, "unknown"),
    "blocked": (None, True, "blocked"),
    "unblocked": (None, False, "unknown"),
}
"""What stands in the shard then, whether they are blocked, and what the server is told."""


@dataclass(frozen=True, slots=True)
class ChangedKey:
    """An account whose key changed without the old one's approval; ``number`` is the one to compare."""

    acct: str
    record: Record
    number: SafetyNumber


@dataclass(frozen=True, slots=True)
class Compared:
    """A safety number, and the signing key that it is for."""

    acct: str
    sign: bytes
    number: SafetyNumber


@dataclass(frozen=True, slots=True)
class Known:
    """A contact as it is listed."""

    acct: str
    contact: Contact

    @property
    def trust(self) -> Trust:
        """What is known of their key."""
        if self.contact.is_verified:
            return "verified"
        return "succeeded" if self.contact.pin and self.contact.pin.former else "none"

    @property
    def fp(self) -> str | None:
        """The fingerprint of the pinned key."""
        return fp(self.contact.pin.key) if self.contact.pin else None


class People:
    """The contacts of one account, fetched once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._contacts = load_shard(account, CONTACTS, Contacts)
        self._unsaved: dict[str, Contact] = {}
        self._shown: dict[str, list[Logged]] = {}
        self._log = KeyLog(account)

    def pin(self, acct: str) -> Pin | None:
        """Looks up what is known of an account."""
        return self._contacts.pin(acct)

    def acct_of(self, name: str) -> str:
        """Returns the address of ``ada`` or ``ada@this-server``. Raises UnknownServer or BadName."""
        own = self._account.identity.server_name
        bare, at, server = name.partition("@")
        if at and server != own:
            raise UnknownServer(server)
        if not is_name(bare):
            raise BadName(bare)
        return f"{bare}@{own}"

    def recipients(self, names: Sequence[str]) -> list[Record]:
        """Fetches, checks and pins the accounts to send to, each once, and stores new pins.

        Raises ServerProblem ``no-such-account``, SafetyNumberChanged, RecordRollback or any other ProtocolError.
        """
        found = [self.refresh(acct) for acct in dict.fromkeys(self.acct_of(name) for name in names)]
        for record in found:
            contact = self.contact(record.acct)
            if record.acct != self._account.acct and not (contact.is_accepted or contact.is_blocked):
                self._decide(record.acct, "accepted")
        self.save()
        return found

    def refresh(self, acct: str) -> Record:
        """Fetches an account's records, checks them against the pin or makes one, and returns the last."""
        history = self._history(acct)
        if acct == self._account.acct:
            return self._own(check_chain(history, acct)[-1])
        self._tell_of_moves(acct, history)
        before = self.pin(acct)
        after = pins.follow(before or pins.first_use(check_chain(history, acct)[0]), acct, history)
        if after != before:
            self._note(acct, after)
        if before is None:
            self._recognise(acct)
        return records.read(history[-1])

    def meet(self, acct: str, signer: bytes) -> None:
        """Pins the unknown sender of an envelope. Raises WrongSigner when the account never had this key."""
        pin = self._first_contact(acct)
        if signer not in _keys(pin):
            raise WrongSigner
        self._note(acct, pin)
        self._recognise(acct)
        # Before any decision, whenever that was made: another device may know of one.
        self._learn(acct, Contact(request=Request(state=RequestState.PENDING, at=0)))

    def contact(self, acct: str) -> Contact:
        """Looks up all that is known of an account."""
        return self._contacts.contacts.get(acct, Contact())

    def requests(self) -> list[Known]:
        """Lists who wrote first and waits for a decision."""
        return [known for known in self.known() if known.contact.is_request]

    def blocked(self) -> list[Known]:
        """Lists whom the owner blocked."""
        contacts = sorted(self._contacts.contacts.items())
        return [Known(acct, contact) for acct, contact in contacts if contact.is_blocked]

    def decide(self, name: str, decision: Decision) -> str:
        """Accepts, ignores, blocks or unblocks somebody, here and on the server. Returns the acct."""
        acct = self.acct_of(name)
        self._decide(acct, decision)
        self.save()
        return acct

    def known(self) -> list[Known]:
        """Lists the contacts by address, without those that were declined or blocked."""
        contacts = sorted(self._contacts.contacts.items())
        return [Known(acct, contact) for acct, contact in contacts if contact.is_listed]

    def add(self, acct: str, *, named: str | None = None) -> Known:
        """Adds somebody to the contacts; ``named`` is the fingerprint that a link gives their key.

        Raises FingerprintMismatch: then nobody was pinned.
        """
        if named is not None and named not in {fp(key) for key in _keys(self._first_contact(acct))}:
            raise FingerprintMismatch
        self.refresh(acct)
        self._decide(acct, "accepted")
        self.save()
        return Known(acct, self._contacts.contacts[acct])

    def compared(self, name: str) -> Compared:
        """Returns the safety number with somebody as they are pinned now. Raises SafetyNumberChanged."""
        acct = self.acct_of(name)
        record = self.refresh(acct)
        self.save()
        mine = (self._account.acct, self._account.keyring.signing_key.public)
        return Compared(acct, record.sign, safety_number(mine, (acct, record.sign)))

    def mark_verified(self, compared: Compared) -> None:
        """Notes that the person has compared this number, and found it the same."""
        self._learn(compared.acct, Contact(verified=Verified(sign=b64(compared.sign), at=now_ms())))
        self.save()

    def unmark(self, name: str) -> None:
        """Takes the mark back."""
        self._learn(self.acct_of(name), Contact(verified=Verified(sign=None, at=now_ms())))
        self.save()

    def changed_key(self, name: str) -> ChangedKey | None:
        """Tells whether an account's key changed without approval, and what to compare before accepting it."""
        acct = self.acct_of(name)
        try:
            self.refresh(acct)
        except SafetyNumberChanged:
            record = records.read(self._history(acct)[-1])
            mine = (self._account.acct, self._account.keyring.signing_key.public)
            return ChangedKey(acct, record, safety_number(mine, (acct, record.sign)))
        return None

    def accept(self, change: ChangedKey) -> None:
        """Pins the new key, as verified: the person has compared the safety number."""
        pin = self.pin(change.acct)
        assert pin is not None
        self._note(change.acct, pins.accept_changed_key(pin, change.record))
        self.mark_verified(Compared(change.acct, change.record.sign, change.number))

    def save(self) -> None:
        """Stores new pins, merged with those of other devices."""
        if not self._unsaved:
            return
        news = Contacts(contacts=self._unsaved)
        self._contacts = change_shard(self._account, CONTACTS, Contacts, lambda shard: shard.merge(news))
        self._unsaved = {}

    def _recognise(self, acct: str) -> None:
        """Goes on with what is known of somebody who moved here: whoever signs with the key that is pinned is the same."""
        for record in [records.read(one.record) for one in self._shown[acct]]:
            alias = record.alias
            if alias is None or alias.new != acct:
                continue
            before = self.contact(alias.old)
            if before.pin is not None and before.pin.key == record.sign:
                self._learn(acct, msgspec.structs.replace(before, pin=None))
                self._account.notice(f"{alias.old} goes on as {acct}, by the same key")

    def _tell_of_moves(self, acct: str, history: list[bytes]) -> None:
        moves = [record.alias for record in map(records.read, history)]
        for alias in moves:
            if alias is not None and alias.old == acct:
                self._account.notice(f"{acct} goes on as {alias.new}, and may not look in here any more")

    def _own(self, record: Record) -> Record:
        mine = self._account.keyring.own_keys
        if record.sign not in mine:
            raise SafetyNumberChanged(old=mine[0], new=record.sign)
        return record

    def _first_contact(self, acct: str) -> Pin:
        """What an account's records say by themselves."""
        history = self._history(acct)
        return pins.follow(pins.first_use(check_chain(history, acct)[0]), acct, history)

    def _note(self, acct: str, pin: Pin) -> None:
        """Keeps a new pin, once the records that it stands for are known to be logged."""
        self._log.check(acct, self._shown[acct][-max(1, pin.rev - self._rev(acct)) :])
        self._learn(acct, Contact(pin=pin))

    def _learn(self, acct: str, news: Contact) -> None:
        self._contacts = self._contacts.with_contact(acct, news)
        self._unsaved[acct] = join_contacts(self._unsaved.get(acct, Contact()), news)

    def _decide(self, acct: str, decision: Decision) -> None:
        state, blocked, told = _DECISIONS[decision]
        body = ijson.encode(wire_people.Acquaintance(told))
        path = f"/api/v1/account/acquaintances/{split_acct(acct)[0]}"
        self._account.session.call("PUT", path, content=body, headers=JSON)
        at = now_ms()
        request = None if state is None else Request(state=state, at=at)
        changes = blocked != self.contact(acct).is_blocked
        self._learn(
            acct, Contact(request=request, blocked=Blocked(value=blocked, at=at) if changes else None)
        )

    def _rev(self, acct: str) -> int:
        pin = self.pin(acct)
        return pin.rev if pin else 0

    def _history(self, acct: str) -> list[bytes]:
        name, server = split_acct(acct)
        if server != self._account.identity.server_name:
            raise UnknownServer(server)
        self._shown[acct] = fetch_logged(self._account.session, name)
        return [one.record for one in self._shown[acct]]


def _keys(pin: Pin) -> set[bytes]:
    return {pin.key, *(unb64(text, size=32) for text in pin.former)}
