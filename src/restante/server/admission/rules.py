"""Tickets: what lets a sign-up through where the policy asks for one. Pure.

[Note: Tickets] An invite is a code that the operator made. The other two are made by this server and stored nowhere: a ticket
says that an address or an identity was proved, for half an hour, under a MAC. Of the address or identity it carries a keyed hash,
which is all that is kept of it: so that each makes one account. A provider's ticket counts only in the browser that came back with it.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import msgspec

from restante.protocol.encoding import b64, unb64
from restante.protocol.wire_availability import SignUpPolicy
from restante.server.errors import Refusal

Kind = Literal["invite", "mail", "provider"]
TICKET_MS = timedelta(minutes=30) // timedelta(milliseconds=1)
CODE_MS = timedelta(minutes=30) // timedelta(milliseconds=1)
_INVITE_BYTES = 10
_GROUP = 4
_NEEDED: dict[SignUpPolicy, Kind | None] = {
    "open": None,
    "invite": "invite",
    "domains": "mail",
    "provider": "provider",
    "closed": None,
}
_WORDS = {
    "invite": "An invite from the operator is needed.",
    "mail": "A mail address of one of the operator's domains is needed.",
    "provider": "Signing in at the operator's provider of identities is needed.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A ticket that is genuine; an invite's ``subject`` is the hash of its code, and whether it lets in stands in the database."""

    kind: Kind
    subject: str


class _Claims(msgspec.Struct, frozen=True):
    kind: Literal["mail", "provider"]
    subject: str
    until: int


def check_policy(policy: SignUpPolicy, shown: Shown | None) -> None:
    """Raises Refusal sign-up-closed or ticket-needed. An invite lets in wherever somebody may be let in."""
    if policy == "closed":
        raise Refusal("sign-up-closed")
    needed = _NEEDED[policy]
    if needed is not None and (shown is None or shown.kind not in {needed, "invite"}):
        raise Refusal("ticket-needed", detail=_WORDS[needed])


def read(key: bytes, ticket: str, *, browser: str, now_ms: int) -> Shown:
    """Reads a ticket of any kind; ``browser`` is the cookie of a provider's. Raises Refusal ticket-refused."""
    if "." not in ticket:
        return Shown("invite", code_sha256(ticket).hex())
    payload, _, mac = ticket.partition(".")
    try:
        data = unb64(payload)
        claims = msgspec.json.decode(data, type=_Claims)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Refusal("ticket-refused") from error
    bound = browser if claims.kind == "provider" else ""
    if not hmac.compare_digest(mac.encode(), _mac(key, data, bound).encode()) or claims.until <= now_ms:
        raise Refusal("ticket-refused")
    return Shown(claims.kind, claims.subject)


def write(key: bytes, shown: Shown, *, now_ms: int, browser: str = "") -> str:
    """Makes the ticket of an address or identity that was proved."""
    assert shown.kind != "invite"
    data = msgspec.json.encode(_Claims(shown.kind, shown.subject, now_ms + TICKET_MS))
    return f"{b64(data)}.{_mac(key, data, browser if shown.kind == 'provider' else '')}"


def subject_of(key: bytes, kind: Kind, *parts: str) -> str:
    """What is kept of an address or an identity."""
    return hmac.new(key, "\0".join(("subject", kind, *parts)).encode(), hashlib.sha256).hexdigest()


def new_code() -> str:
    """Makes an invite's code, 80 bits, as it is handed on: abcd-efgh-ijkl-mnop."""
    text = base64.b32encode(secrets.token_bytes(_INVITE_BYTES)).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def code_sha256(code: str) -> bytes:
    """Hashes an invite's code as it is stored; case, spaces and hyphens do not count. Raises Refusal ticket-refused."""
    text = "".join(code.split()).replace("-", "").upper()
    try:
        data = base64.b32decode(text)
    except (binascii.Error, ValueError) as error:
        raise Refusal("ticket-refused") from error
    if len(data) != _INVITE_BYTES:
        raise Refusal("ticket-refused")
    return hashlib.sha256(data).digest()


def is_of_domains(address: str, domains: tuple[str, ...]) -> bool:
    """Tells whether a mail address belongs to one of the domains themselves; what is below them does not."""
    return address.rpartition("@")[2].lower() in {domain.lower() for domain in domains}


def code_of(key: bytes, address: str, expires_at: int) -> str:
    """The eight digits that prove an address: made anew when needed, stored nowhere."""
    text = f"admission\0{address.lower()}\0{expires_at}"
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**8:08}"


def _mac(key: bytes, data: bytes, browser: str) -> str:
    bound = hashlib.sha256(browser.encode()).digest()
    return b64(hmac.new(key, b"ticket\0" + bound + data, hashlib.sha256).digest())
