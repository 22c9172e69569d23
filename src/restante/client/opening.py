"""Opening what the server lists: every check of the protocol, new senders pinned, ids remembered.

>>> page = account.session.get("/api/v1/inbox", wire.Inbox, envelopes="inline")
>>> opener = Opener(account)
>>> [opener.open(item).trust.value for item in page.items]
['first']
>>> opener.save()
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace

from restante.client import device_keyring
from restante.client.account import Account, now_ms
from restante.client.errors import AnswerMalformed, MessageMislabelled
from restante.client.files import make_private, write_private
from restante.client.moving import own_aliases
from restante.client.opened import Standing
from restante.client.people import People
from restante.client.seen import SeenIds
from restante.crypto.details import Details
from restante.crypto.errors import (
    DetailsError,
    EnvelopeNoMatch,
    KeyringError,
    WrongRecipient,
    WrongSigner,
)
from restante.crypto.receiving import Opened, Trust, open_envelope, open_own_copy
from restante.protocol import wire
from restante.protocol.encoding import unb64
from restante.protocol.limits import DETAILS_BYTES


class Opener:
    """Opens envelopes and details of one account; ``save`` stores what was learnt on the way."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._people = People(account)
        self._seen = SeenIds(account)
        self._has_newest_keys = False
        self._aliases: frozenset[str] | None = None

    def open(self, item: wire.InboxItem) -> Opened:
        """Opens a received envelope. Raises ProtocolError, MessageMislabelled or ServerProblem."""
        sealed = _sealed(item)
        try:
            opened = self._opened(sealed)
        except WrongSigner:
            if item.sender is None or not self._has_moved(item.sender):
                raise
            opened = self._open(sealed)
        _check_id(opened, item)
        if opened.trust is Trust.FIRST:
            self._meet(opened)
        self._seen.note(opened.fields.id, opened.seen_shard, opened.digest)
        return opened

    def standing(self, opened: Opened) -> Standing:
        """Tells how the owner stands to who signed it; what nobody signed waits among the requests."""
        origin = opened.fields.from_
        if opened.trust is Trust.OWN:
            return "known"
        if origin is None or origin.acct is None:
            return "request"
        contact = self._people.contact(origin.acct)
        if not contact.is_listed:
            return "hidden"
        return "request" if contact.is_request else "known"

    def open_sent(self, item: wire.SentItem) -> Opened:
        """Opens the own copy of a sent message. Raises ProtocolError or MessageMislabelled."""
        opened = self._with_newest_keys(lambda: self._open_own_copy(_sealed(item)))
        _check_id(opened, item)
        return opened

    def details(self, opened: Opened) -> Details:
        """Opens the details, from the sealed copy on this device or else from the server. Raises DetailsError."""
        path = self._account.profile.details / f"{opened.fields.id}.age"
        with contextlib.suppress(OSError, DetailsError):
            return opened.open_details(path.read_bytes())
        sealed = fetch_details(self._account, opened.fields.id)
        details = opened.open_details(sealed)
        write_private(make_private(path.parent) / path.name, sealed)
        return details

    def save(self) -> None:
        """Stores new pins and ids."""
        self._people.save()
        self._seen.save()
        self._has_newest_keys = False

    def _opened(self, sealed: bytes) -> Opened:
        try:
            return self._with_newest_keys(lambda: self._open(sealed))
        except WrongRecipient:
            if self._aliases is not None:
                raise
            self._aliases = own_aliases(self._account)
        return self._open(sealed)

    def _with_newest_keys(self, attempt: Callable[[], Opened]) -> Opened:
        """Opens; what no key opens may be for one that another device has made: asks once for each list."""
        try:
            return attempt()
        except EnvelopeNoMatch:
            if self._has_newest_keys:
                raise
            self._has_newest_keys = True
            with contextlib.suppress(KeyringError):
                device_keyring.refresh(self._account)
        return attempt()

    def _open_own_copy(self, sealed: bytes) -> Opened:
        account = self._account
        return open_own_copy(sealed, identities=account.keyring.identities, me=account.me, now_ms=now_ms())

    def _open(self, sealed: bytes) -> Opened:
        return open_envelope(
            sealed,
            identities=self._account.keyring.identities,
            me=replace(self._account.me, aliases=self._aliases or frozenset()),
            pinned=self._people.pin,
            seen=self._seen.digest,
            now_ms=now_ms(),
        )

    def _has_moved(self, sender: str) -> bool:
        """Follows the sender's records: a succession since the pin explains another signer."""
        acct = self._people.acct_of(sender)
        before = self._people.pin(acct)
        self._people.refresh(acct)
        return self._people.pin(acct) != before

    def _meet(self, opened: Opened) -> None:
        assert opened.fields.from_ is not None
        assert opened.fields.from_.acct is not None
        assert opened.signer is not None
        self._people.meet(opened.fields.from_.acct, opened.signer)


def fetch_details(account: Account, message_id: str) -> bytes:
    """Gets details.age as the server has it, unverified."""
    return account.session.call("GET", f"/api/v1/messages/{message_id}/details", limit=DETAILS_BYTES).body


def _sealed(item: wire.InboxItem | wire.SentItem) -> bytes:
    if item.envelope is None:
        raise AnswerMalformed("a message without its envelope")
    try:
        return unb64(item.envelope)
    except ValueError as error:
        raise AnswerMalformed("an envelope") from error


def _check_id(opened: Opened, item: wire.InboxItem | wire.SentItem) -> None:
    if opened.fields.id != item.id:
        raise MessageMislabelled
