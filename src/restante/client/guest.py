"""A guest: opens a link without an account, checks what it says and who signed it, saves the video.

>>> with Guest.at(url) as guest:
...     seen = guest.open()
...     saved = guest.save(seen, folder / "hello.mp4")
>>> seen.signer, saved.name
('ada@localhost', 'hello.mp4')
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from restante.client.account import now_ms
from restante.client.addresses import LinkAddress, PageAddress, read_address
from restante.client.downloads import plaintext
from restante.client.errors import (
    AnswerMalformed,
    GuestLinkMalformed,
    LinkNeedsPassword,
    MayNotSave,
    NothingToSave,
)
from restante.client.http import Session
from restante.client.links import access_of
from restante.client.opened import Message
from restante.client.record_chain import check_chain, fetch_history
from restante.client.saving import save_pieces_new
from restante.crypto import pins
from restante.crypto.errors import EnvelopeNoMatch, FingerprintMismatch, WrongSigner
from restante.crypto.kdf import Access, greeting_access
from restante.crypto.pins import Pin
from restante.crypto.profile import open_profile
from restante.crypto.receiving import Opened, open_link_envelope
from restante.protocol import wire
from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import DETAILS_BYTES, ENVELOPE_BYTES
from restante.protocol.names import split_acct
from restante.protocol.wire_links import LinkFound, LinkView
from restante.protocol.wire_pages import Call, Page
from restante.signing.keys import fp
from restante.signing.records import Record


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that a guest has opened; ``signer`` is the address whose key signed it, by this server's word."""

    message: Message
    view: LinkView
    signer: str | None


class Guest:
    """One link, one connection; ``open`` is counted, and nothing before it is."""

    def __init__(
        self, session: Session, link_id: str, access: Access, *, expected: str | None = None
    ) -> None:
        self._expected = expected
        self._session = session
        self._path = f"/api/v1/links/{link_id}"
        self._access = access

    @classmethod
    def at(cls, url: str, *, password: str | None = None) -> Self:
        """Reads an address; that of an answer is looked up. Raises GuestLinkMalformed, ServerProblem ``not-found``."""
        address = read_address(url)
        if not isinstance(address, LinkAddress):
            raise GuestLinkMalformed
        access = access_of(address.secret, password)
        session = Session(address.server, token=b64(access.bearer))
        with session.closed_on_error():
            link_id = address.link or session.get("/api/v1/answers", LinkFound).id
            return cls(session, link_id, access)

    @classmethod
    def at_page(cls, address: PageAddress) -> Self:
        """Goes to the greeting of an answering page. Raises NothingToSave, FingerprintMismatch, PageDamaged, WrongSigner."""
        if address.secret is None or address.fp is None:
            raise NothingToSave
        access = greeting_access(address.secret)
        session = Session(address.server, token=b64(access.bearer))
        with session.closed_on_error():
            page = session.get(f"/api/v1/pages/{address.name}", Page)
            acct = f"{page.name}@{server_name(session)}"
            keys = keys_of(known_pin(session, acct))
            if address.fp not in {fp(key) for key in keys}:
                raise FingerprintMismatch
            if page.profile is None or page.greeting is None:
                raise NothingToSave
            profile = open_profile(_decoded(page.profile), access.identity, acct=acct, keys=keys)
            return cls(session, page.greeting, access, expected=profile.greeting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def open(self) -> Seen:
        """Opens the envelope, then counts one open. Raises LinkNeedsPassword, ProtocolError, ServerProblem ``link-gone``."""
        opened, signer = self._envelope()
        if self._expected not in (None, opened.fields.id):
            raise AnswerMalformed("another message than the page's")
        view = self._session.call_once("POST", f"{self._path}/opens").decode(LinkView)
        if view.message != opened.fields.id:
            raise AnswerMalformed("another message than the link's")
        self._session.token = view.token
        sealed = self._session.call("GET", f"{self._path}/details", limit=DETAILS_BYTES).body
        return Seen(Message(opened, opened.open_details(sealed)), view, signer)

    def begin_answer(self) -> Call:
        """Asks to leave an answer, once the link was opened. Raises ServerProblem ``may-not-answer``, ``call-over``."""
        return self._session.call("POST", f"{self._path}/calls").decode(Call)

    def save(self, seen: Seen, target: Path) -> Path:
        """Saves the video under a name that is free. Raises MayNotSave, and as ``saving.save_new`` does."""
        if not seen.view.may_save:
            raise MayNotSave
        pieces = plaintext(self._session, seen.message, path=f"{self._path}/video")
        return save_pieces_new(pieces, target)

    def _envelope(self) -> tuple[Opened, str | None]:
        sealed = self._session.call("GET", f"{self._path}/envelope", limit=ENVELOPE_BYTES).body
        try:
            opened = open_link_envelope(
                sealed, identity=self._access.identity, pinned=lambda _: None, now_ms=now_ms()
            )
        except EnvelopeNoMatch as error:
            raise LinkNeedsPassword from error
        origin = opened.fields.from_
        if opened.signer is None or origin is None or origin.acct is None:
            return opened, None
        if opened.signer not in keys_of(known_pin(self._session, origin.acct)):
            raise WrongSigner
        return opened, origin.acct


def _decoded(text: str) -> bytes:
    try:
        return unb64(text)
    except ValueError as error:
        raise AnswerMalformed("a profile") from error


def known_pin(session: Session, acct: str) -> Pin:
    """What the server's records say of an account, every step checked. Raises SigningError, ServerProblem."""
    return _known(session, acct)[0]


def known_record(session: Session, acct: str) -> tuple[Pin, Record]:
    """The same, with the newest record."""
    return _known(session, acct)


def keys_of(pin: Pin) -> Collection[bytes]:
    """The signing key of an account and those before it."""
    return {pin.key, *(unb64(text, size=32) for text in pin.former)}


def server_name(session: Session) -> str:
    """The right side of every address on this server."""
    return session.get("/api/v1/server", wire.ServerInfo).server_name


def _known(session: Session, acct: str) -> tuple[Pin, Record]:
    history = fetch_history(session, split_acct(acct)[0])
    chain = check_chain(history, acct)
    return pins.follow(pins.first_use(chain[0]), acct, history), chain[-1]
