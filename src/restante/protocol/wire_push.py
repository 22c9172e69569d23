"""What travels about being told of news while no page is open: push, mail, quiet hours."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from restante.protocol.wire_base import B64, Instant

SubscriptionId = Annotated[str, Meta(pattern=r"^psh_[a-z2-7]{25}[aeimquy4]$", max_length=30)]
MailAddress = Annotated[
    str, Meta(pattern=r"^[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,190}$", max_length=254)
]
Minute = Annotated[int, Meta(ge=0, le=1439)]
Zone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", max_length=64)]
Language = Literal["en", "fr"]


class PutSubscription(Struct, frozen=True):
    """A browser's push subscription (PushSubscription.toJSON()): its keys are 65 and 16 bytes. Put again at each visit."""

    endpoint: Annotated[str, Meta(min_length=9, max_length=2048)]
    p256dh: B64
    auth: B64


class Subscription(Struct, frozen=True):
    """One browser that is told; ``here`` is whether this session made it. Of the endpoint only its host is shown."""

    id: SubscriptionId
    host: str
    created_at: Instant
    renewed_at: Instant
    here: bool


class Quiet(Struct, frozen=True):
    """Hours in which nobody is disturbed: minutes of the day, in a time zone such as Europe/Paris; may pass midnight."""

    begins: Minute
    ends: Minute
    zone: Zone


class PutMail(Struct, frozen=True):
    """An address to write to, at most once in ``every_s``. A code is sent there first."""

    address: MailAddress
    every_s: Annotated[int, Meta(ge=900, le=604_800)] = 3600
    language: Language = "en"


class Mail(Struct, frozen=True):
    """Where mail goes; none does before the address is verified."""

    address: str
    every_s: int
    language: Language
    verified: bool


class MailCode(Struct, frozen=True):
    """The eight digits that were sent to the address."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{8}$", max_length=8)]


class Notices(Struct, frozen=True):
    """How the account is told. ``push_key`` is the server's VAPID key; ``mail_possible`` whether this server writes mail."""

    push_key: B64
    subscriptions: list[Subscription]
    quiet: Quiet | None
    mail: Mail | None
    mail_possible: bool
