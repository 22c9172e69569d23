"""Other accounts: their records with the whole history, checked against what is pinned in the shard ``contacts``.

    >>> (record,) = People(account).recipients(["grace"])
    >>> record.acct == f"grace@{account.identity.server_name}"
    True

Trust on first use: an account never met is pinned by its record; from then on a lower revision, a broken chain and a
changed key are refused, until the person accepts the change. Pins are written in batches, by ``save``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from restante.client.account import Account
from restante.client.errors import BadName, UnknownServer
from restante.client.key_log import KeyLog
from restante.client.record_chain import Logged, check_chain, fetch_logged
from restante.client.shards import change_shard, load_shard
from restante.crypto import pins
from restante.crypto.contacts import Contact
from restante.crypto.errors import SafetyNumberChanged, WrongSigner
from restante.crypto.pins import Pin
from restante.crypto.safety import SafetyNumber, safety_number
from restante.crypto.state import CONTACTS, Contacts
from restante.protocol.encoding import unb64
from restante.protocol.names import is_name, split_acct
from restante.signing import records
from restante.signing.records import Record


@dataclass(frozen=True, slots=True)
class ChangedKey:
    """An account whose key changed without the old one's approval; ``number`` is the one to compare."""

    acct: str
    record: Record
    number: SafetyNumber


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
        self.save()
        return found

    def refresh(self, acct: str) -> Record:
        """Fetches an account's records, checks them against the pin or makes one, and returns the last."""
        history = self._history(acct)
        if acct == self._account.acct:
            return self._own(check_chain(history, acct)[-1])
        before = self.pin(acct)
        after = pins.follow(before or pins.first_use(check_chain(history, acct)[0]), acct, history)
        if after != before:
            self._note(acct, after)
        return records.read(history[-1])

    def meet(self, acct: str, signer: bytes) -> None:
        """Pins the unknown sender of an envelope. Raises WrongSigner when the account never had this key."""
        history = self._history(acct)
        pin = pins.follow(pins.first_use(check_chain(history, acct)[0]), acct, history)
        keys = {pin.key, *(unb64(text, size=32) for text in pin.former)}
        if signer not in keys:
            raise WrongSigner
        self._note(acct, pin)

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
        """Pins the new key: the person has compared the safety number."""
        pin = self.pin(change.acct)
        assert pin is not None
        self._note(change.acct, pins.accept_changed_key(pin, change.record))
        self.save()

    def save(self) -> None:
        """Stores new pins, merged with those of other devices."""
        if not self._unsaved:
            return
        news = Contacts(contacts=self._unsaved)
        self._contacts = change_shard(self._account, CONTACTS, Contacts, lambda shard: shard.merge(news))
        self._unsaved = {}

    def _own(self, record: Record) -> Record:
        mine = self._account.keyring.signing_key.public
        if record.sign != mine:
            raise SafetyNumberChanged(old=mine, new=record.sign)
        return record

    def _note(self, acct: str, pin: Pin) -> None:
        """Keeps a new pin, once the records that it stands for are known to be logged."""
        self._log.check(acct, self._shown[acct][-max(1, pin.rev - self._rev(acct)) :])
        contact = Contact(pin=pin)
        self._contacts = self._contacts.with_contact(acct, contact)
        self._unsaved[acct] = contact

    def _rev(self, acct: str) -> int:
        pin = self.pin(acct)
        return pin.rev if pin else 0

    def _history(self, acct: str) -> list[bytes]:
        name, server = split_acct(acct)
        if server != self._account.identity.server_name:
            raise UnknownServer(server)
        self._shown[acct] = fetch_logged(self._account.session, name)
        return [one.record for one in self._shown[acct]]
