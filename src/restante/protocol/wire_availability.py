"""What travels about where and on what sign-up and sending are open, and about tickets that a sign-up may need."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from restante.protocol.wire_base import Instant
from restante.protocol.wire_push import Language, MailAddress

Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", max_length=2)]
"""ISO 3166-1 alpha-2, such as GB."""
Platform = Literal["macos", "windows", "linux", "ios", "android", "windows-phone", "other"]
Phase = Literal["open", "beta", "planned", "later", "unknown"]
SignUpPolicy = Literal["open", "invite", "domains", "provider", "closed"]
"""Who may make an account: anyone, who has an invite, who has a mail address of certain domains, whom a provider of identities
knows, nobody."""
Ticket = Annotated[str, Meta(min_length=4, max_length=1024)]
"""What lets a sign-up through where the policy asks for one: an invite's code, or what proved an address or an identity."""


class Availability(Struct, frozen=True):
    """Whether sign-up and sending are open to who asks, from where they are, on what they use.

    ``blocked_by``, ``phase`` and ``text`` tell what keeps it shut longest, ``text`` in the operator's own words by language;
    ``opens_at`` is None while nobody has said when. ``by_country`` is whether countries matter here at all.
    """

    allowed: bool
    platform: Platform
    phase: Phase
    by_country: bool
    country: Country | None = None
    country_from: Literal["declared", "proxy", "database"] | None = None
    blocked_by: Literal["country", "platform"] | None = None
    opens_at: Instant | None = None
    text: dict[str, str] = {}
    waiting: bool = False
    """Whether the account asked to be told."""
    mail_possible: bool = False


class PutCountry(Struct, frozen=True):
    """Where the account is at home: it counts from then on, wherever its person travels."""

    country: Country


class Wait(Struct, frozen=True):
    """Asks to be told when it opens. An account needs no ``mail``; to anybody else one mail is written, and the address forgotten."""

    mail: MailAddress | None = None
    language: Language = "en"
    country: Country | None = None


class ShowTicket(Struct, frozen=True):
    """Shown by an account: an invite, to take part in a beta; or what a visit at the provider of identities gave, to be linked."""

    ticket: Ticket


class AskCode(Struct, frozen=True):
    """Has a code sent to a mail address of one of the domains whose people may sign up."""

    mail: MailAddress
    language: Language = "en"


class CodeSent(Struct, frozen=True):
    """Until when the code is good; it is shown together with the code."""

    expires_at: Instant


class ShowCode(Struct, frozen=True):
    """The eight digits that were sent, and what was answered when they were asked for."""

    mail: MailAddress
    code: Annotated[str, Meta(pattern=r"^[0-9]{8}$", max_length=8)]
    expires_at: Instant


class Admitted(Struct, frozen=True):
    """A ticket, good for half an hour and one account."""

    ticket: Ticket


class Identity(Struct, frozen=True):
    """What the account is linked to at the operator's provider of identities, which opens nothing."""

    provider: str
    """How the provider is called, or empty where there is none."""
    since: Instant | None = None
    """None: to nothing."""
    may_unlink: bool = True
    """Whether the link may go: what let somebody in stays while the provider decides who may come in."""
