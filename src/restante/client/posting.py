"""The last step of a send: details and envelopes are sealed once, stored in the draft, and posted until answered.

>>> draft.change(request=prepare(account, draft.record, People(account)))
>>> draft.record.request.message.recipients
['grace']
"""

import secrets

import httpx

from restante.client.account import Account
from restante.client.drafts import DraftRecord, Request
from restante.client.errors import AnswerMalformed, ServerProblem, UploadGone
from restante.client.http import Session
from restante.client.people import People
from restante.client.previous import Previous
from restante.crypto.age import X25519Identity, X25519Recipient
from restante.crypto.details import Details, Kind, details_sha256, seal_details
from restante.crypto.envelopes import (
    LINK_PREFIX,
    Message,
    Sender,
    seal_for_account,
    seal_for_link,
    seal_own_copy,
)
from restante.crypto.kdf import link_fp
from restante.protocol import ijson, wire
from restante.protocol.encoding import b64, unb64
from restante.protocol.names import split_acct

_PATH = "/api/v1/messages"
_LOST = frozenset({"upload-gone", "not-found"})


def prepare(account: Account, record: DraftRecord, people: People) -> Request:
    """Seals everything but the video, for recipients that were checked just now."""
    assert record.upload is not None or record.kind != "video"
    key = X25519Identity.parse(record.key)
    described = Details(
        video=record.video,
        caption=record.caption,
        captions=record.captions,
        poster=record.poster,
        text=record.words if record.kind == "text" else None,
        reaction=record.words if record.kind == "reaction" else None,
    )
    sealed = seal_details(described, key)
    message = Message(
        id=record.id,
        kind=Kind(record.kind),
        created_ms=record.created,
        key=key,
        details_sha256=details_sha256(sealed),
        upload=record.upload,
        expires_ms=record.terms.expires_ms(record.created),
        once=record.terms.once,
        may_forward=record.terms.may_forward,
        reply_to=record.reply_to,
    )
    sender = Sender(account.acct, account.identity.name, account.keyring.signing_key)
    records = {split_acct(each.acct)[0]: each for each in people.recipients(record.to)}
    own = account.keyring.own_recipient(record.created)
    previous = Previous(account)
    before = {name: previous.to(each.acct, but_not=record.id) for name, each in records.items()}
    return Request(
        idempotency_key=secrets.token_hex(16),
        message=wire.Send(
            id=record.id,
            kind=record.kind,
            details_sha256=b64(message.details_sha256),
            recipients=list(records),
            upload=record.upload,
            expires_at=message.expires_ms,
            until_played=record.terms.until_played,
            may_forward=record.terms.may_forward,
            links=[link.terms for link in record.links],
        ),
        details=b64(sealed),
        envelopes={
            name: b64(seal_for_account(message, sender, each, prev=before[name]))
            for name, each in records.items()
        },
        sent=b64(seal_own_copy(message, sender, own, sent_to=(*record.to, *_link_names(record)))),
        links=tuple(
            b64(seal_for_link(message, sender, X25519Recipient.parse(link.recipient)))
            for link in record.links
        ),
    )


def _link_names(record: DraftRecord) -> list[str]:
    return [LINK_PREFIX + link_fp(link.recipient) for link in record.links]


def post(session: Session, record: DraftRecord) -> wire.Sent:
    """Posts the stored request: however often, it makes one message. Raises UploadGone when it needs a new upload."""
    request = record.request
    assert request is not None
    body, content_type = multipart(request)
    headers = {"content-type": content_type, "idempotency-key": request.idempotency_key}
    try:
        sent = session.call(
            "POST", _PATH, content=body, headers=headers, retry=session.retry.patient()
        ).decode(wire.Sent)
    except ServerProblem as problem:
        if problem.code in _LOST or problem.code == "upload-unfinished":
            raise UploadGone from problem
        raise
    if sent.id != record.id:
        raise AnswerMalformed("another message's id")
    return sent


def multipart(request: Request) -> tuple[bytes, str]:
    """The body of a send, and its content type; without an own copy when that is empty."""
    parts = {
        "message": (None, ijson.encode(request.message), "application/json"),
        "details": (None, unb64(request.details), "application/octet-stream"),
    }
    if request.sent:
        parts["sent"] = (None, unb64(request.sent), "application/octet-stream")
    for name, envelope in request.envelopes.items():
        parts[f"envelope:{name}"] = (None, unb64(envelope), "application/octet-stream")
    for place, envelope in enumerate(request.links):
        parts[f"link:{place}"] = (None, unb64(envelope), "application/octet-stream")
    boundary = f"restante-{request.idempotency_key}"
    content_type = f"multipart/form-data; boundary={boundary}"
    form = httpx.Request("POST", "https://localhost/", files=parts, headers={"content-type": content_type})
    return form.read(), content_type
