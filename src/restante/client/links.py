"""Guest links of one's own: made for a new message or an old one, listed, taken back.

>>> terms = Terms(most_opens=1)
>>> secret, draft = draft_link(terms)
>>> len(secret), draft.terms.most_opens
(32, 1)

The secret is in the address only, which is shown once: nobody can tell it again, this device neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restante.client.account import Account, now_ms
from restante.client.drafts import LinkDraft
from restante.client.errors import NoAnswerWanted
from restante.client.http import JSON
from restante.client.incoming import Mailbox
from restante.client.opened import Item, Message
from restante.client.outgoing import Report, send_to_links
from restante.crypto.age import AgeError, X25519Recipient
from restante.crypto.envelopes import Message as Sealed
from restante.crypto.envelopes import Sender, seal_for_link
from restante.crypto.kdf import Access, argon2id, link_access, link_access_with_password, link_salt
from restante.crypto.passphrase import normalise
from restante.protocol import ijson
from restante.protocol.encoding import b64
from restante.protocol.ids import new_secret
from restante.protocol.wire_links import AddLink, Link, Links, NewLink

_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Terms:
    """How a link may be used; ``days`` until it ends."""

    most_opens: int | None = None
    days: float | None = None
    may_save: bool = True
    may_answer: bool = False
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A new link: its address, and the message that it opens."""

    id: str
    message: str
    url: str


def draft_link(terms: Terms) -> tuple[bytes, LinkDraft]:
    """Makes the secret of a link, and what a send needs of it."""
    secret = new_secret()
    return secret, _draft(access_of(secret, terms.password), terms)


def access_of(secret: bytes, password: str | None) -> Access:
    """Derives the way in of a link; with a password it takes a third of a second."""
    if password is None:
        return link_access(secret)
    stretched = argon2id(normalise(password).encode(), salt=link_salt(secret))
    return link_access_with_password(secret, stretched)


def draft_for(access: Access, terms: Terms) -> LinkDraft:
    """What a send needs of a link whose secret is another's or is kept elsewhere."""
    return _draft(access, terms)


def send_by_link(
    account: Account,
    source: Path,
    terms: Terms,
    *,
    caption: str | None = None,
    captions: str | None = None,
    report: Report = lambda _: None,
) -> Made:
    """Sends a video to whoever has the address. Raises as ``outgoing.send`` does."""
    secret, draft = draft_link(terms)
    sent = send_to_links(account, source, [draft], caption=caption, captions=captions, report=report)
    return Made(sent.links[0], sent.id, url_of(account, sent.links[0], secret))


def add_link(account: Account, reference: str, terms: Terms) -> Made:
    """Makes a link to a message that one sent. Raises MessageUnknown or any other ClientError."""
    item = Mailbox(account).find(reference)
    secret, draft = draft_link(terms)
    link = post_link(account, item, draft)
    return Made(link.id, item.id, url_of(account, link.id, secret))


def post_link(account: Account, item: Item, draft: LinkDraft) -> Link:
    """Seals a sent message for one more link and stores it."""
    message, sender = _sealed(item.require()), _sender(account)
    envelope = seal_for_link(message, sender, X25519Recipient.parse(draft.recipient))
    terms = draft.terms
    body = AddLink(
        terms.bearer_sha256,
        terms.expires_at,
        terms.most_opens,
        terms.may_save,
        terms.may_answer,
        envelope=b64(envelope),
    )
    path = f"/api/v1/messages/{item.id}/links"
    return account.session.call("POST", path, content=ijson.encode(body), headers=JSON).decode(Link)


def answer_caller(
    account: Account,
    reference: str,
    source: Path,
    *,
    caption: str | None = None,
    captions: str | None = None,
    report: Report = lambda _: None,
) -> str:
    """Sends a video to the caller who left this message, by the link that they made. Raises NoAnswerWanted."""
    wanted = Mailbox(account).find(reference).require().opened.fields.answer_to
    if wanted is None:
        raise NoAnswerWanted
    try:
        X25519Recipient.parse(wanted.recipient)
    except AgeError as error:
        raise NoAnswerWanted from error
    draft = LinkDraft(recipient=wanted.recipient, terms=NewLink(wanted.bearer_sha256))
    return send_to_links(account, source, [draft], caption=caption, captions=captions, report=report).id


def list_links(account: Account) -> Sequence[Link]:
    """Lists the account's links, the newest first."""
    return account.session.get("/api/v1/links", Links).items


def revoke(account: Account, link_id: str) -> None:
    """Takes a link back, also from those who are watching."""
    account.session.call("DELETE", f"/api/v1/links/{link_id}")


def url_of(account: Account, link_id: str, secret: bytes) -> str:
    """Writes the address of a link."""
    return f"{account.identity.server}/m/{link_id}#{b64(secret)}"


def _draft(access: Access, terms: Terms) -> LinkDraft:
    expires_at = None if terms.days is None else now_ms() + round(terms.days * _DAY_MS)
    wanted = NewLink(
        b64(access.bearer_sha256), expires_at, terms.most_opens, terms.may_save, terms.may_answer
    )
    return LinkDraft(recipient=str(access.identity.recipient()), terms=wanted)


def _sealed(message: Message) -> Sealed:
    fields = message.opened.fields
    return Sealed(
        id=fields.id,
        kind=message.opened.kind,
        created_ms=fields.created,
        key=message.opened.key,
        details_sha256=message.opened.details_sha256,
        upload=fields.upload,
        expires_ms=fields.expires,
        once=fields.once,
        may_forward=fields.may_forward,
        reply_to=fields.reply_to,
    )


def _sender(account: Account) -> Sender:
    return Sender(account.acct, account.identity.name, account.keyring.signing_key)
