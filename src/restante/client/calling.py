"""Leaving a message without an account: on an answering page, or as the answer to a guest link.

>>> call = leave(url, video, words=Words(name="Hedy"), answer=True, drafts=Drafts(folder))
>>> call.name, call.is_verified
('grace', True)
>>> call.answer.startswith(f"{server_url}/m/answer#")
True

What fails leaves a draft, sealed, until the same call succeeds: then the video is not converted again. What was uploaded goes by itself.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import altcha
import httpx
import msgspec

from restante.client.account import now_ms
from restante.client.addresses import ANSWER, PageAddress, read_address
from restante.client.captions import normalised
from restante.client.drafts import CallTo, Draft, Drafts
from restante.client.errors import AnswerMalformed, ProofTooSlow
from restante.client.guest import Guest, keys_of, known_record, server_name
from restante.client.http import JSON, Session
from restante.client.outgoing import Progress, Report, describe_source
from restante.client.sealing import fresh_record, seal_into
from restante.client.tus import Sender, create_apart
from restante.crypto.details import Details, Kind, details_sha256, seal_details
from restante.crypto.envelopes import AnswerTo, Caller, Message, seal_for_account
from restante.crypto.errors import FingerprintMismatch
from restante.crypto.kdf import greeting_access, link_access
from restante.crypto.padding import Padding
from restante.media import Shorten, convert
from restante.protocol import ijson
from restante.protocol.encoding import b64
from restante.protocol.ids import new_secret
from restante.protocol.wire_pages import Call, CallMessage, Challenge, Left, NewCall, Page
from restante.signing.keys import fp
from restante.signing.records import Record

_PROOF_S = 60.0
_ALGORITHM = "PBKDF2/SHA-256"
_MOST_COST = 100_000


@dataclass(frozen=True, slots=True)
class Called:
    """A message that was left; ``answer`` is where an answer will be, if one was asked for."""

    id: str
    name: str
    answer: str | None = field(repr=False)
    is_verified: bool
    """Whether the address said which key the page's owner has."""


@dataclass(frozen=True, slots=True)
class Words:
    """What goes with the video: who calls, in their own words, and what they say of it."""

    name: str | None = None
    caption: str | None = None
    captions: str | None = None
    """WebVTT or SRT."""


@dataclass(frozen=True, slots=True)
class _Owner:
    record: Record
    is_verified: bool
    call: Call = field(repr=False)
    reply_to: str | None = None


def leave(
    url: str,
    source: Path,
    *,
    words: Words = Words(),
    answer: bool = False,
    password: str | None = None,
    drafts: Drafts,
    report: Report = lambda _: None,
) -> Called:
    """Leaves a video at an answering page, or answers a guest link. ``answer`` asks to be answered.

    Whatever is raised once the video was converted, its draft stays in ``drafts``.

    Raises ServerProblem ``no-such-page``, ``page-closed`` and others, FingerprintMismatch, MediaError, ClientError.
    """
    address = read_address(url)
    call = CallTo(url, words.name)
    with Session(address.server) as session:
        if isinstance(address, PageAddress):
            owner = _at_page(session, address)
        else:
            owner = _at_link(session, url, password)
        secret = new_secret() if answer else None
        draft = _converted(drafts, call, source, words, report)
        session.token = owner.call.token
        with draft.held():
            upload = _upload(session, draft, report)
            left = _post(session, draft, upload, owner, secret)
        draft.discard()
    wait_at = None if secret is None else f"{address.server}/m/{ANSWER}#{b64(secret)}"
    return Called(left.id, owner.call.name, wait_at, owner.is_verified)


def _at_page(session: Session, address: PageAddress) -> _Owner:
    bearer = None if address.secret is None else b64(greeting_access(address.secret).bearer)
    path = f"/api/v1/pages/{address.name}"
    page = session.get(path, Page)
    acct = f"{page.name}@{server_name(session)}"
    pin, record = known_record(session, acct)
    if address.fp is not None and address.fp not in {fp(key) for key in keys_of(pin)}:
        raise FingerprintMismatch
    proof = _solved(session.get(f"{path}/challenge", Challenge))
    body = ijson.encode(NewCall(proof, bearer))
    call = session.call("POST", f"{path}/calls", content=body, headers=JSON).decode(Call)
    return _Owner(record, address.fp is not None, call)


def _at_link(session: Session, url: str, password: str | None) -> _Owner:
    with Guest.at(url, password=password) as guest:
        seen = guest.open()
        call = guest.begin_answer()
    if seen.signer is None:
        raise AnswerMalformed("an owner whom nobody signed for")
    _, record = known_record(session, seen.signer)
    return _Owner(record, is_verified=False, call=call, reply_to=seen.message.id)


def _solved(challenge: Challenge) -> str:
    cost = challenge.parameters.get("cost")
    if challenge.parameters.get("algorithm") != _ALGORITHM or not isinstance(cost, int) or cost > _MOST_COST:
        raise AnswerMalformed("a proof of work that nobody would do")
    asked = altcha.Challenge.from_dict({"parameters": challenge.parameters, "signature": challenge.signature})
    solution = altcha.solve_challenge(asked, timeout=_PROOF_S)
    if solution is None:
        raise ProofTooSlow
    return altcha.Payload(asked, solution).to_base64()


def _converted(drafts: Drafts, call: CallTo, source: Path, words: Words, report: Report) -> Draft:
    """The draft of an earlier attempt, or a new one; sealing is never gone on with, so what is not complete is given up."""
    described = describe_source(source)
    cues = None if words.captions is None else normalised(words.captions)
    known = drafts.calling(call, described, caption=words.caption, captions=cues)
    if known is not None:
        return known
    record = fresh_record(to=(), caption=words.caption, captions=cues, source=described)
    draft = drafts.new(msgspec.structs.replace(record, call=call))
    try:
        seal_into(
            draft,
            lambda sink: convert(
                source, sink, shorten=Shorten.REFUSE, progress=lambda share: report(Progress(share, 0, None))
            ),
            padding=Padding.FILE,
        )
    except BaseException:
        draft.discard()
        raise
    return draft


def _upload(session: Session, draft: Draft, report: Report) -> str:
    video = draft.record.video
    assert video is not None
    upload, capability = create_apart(session)
    with Session(session.url, token=capability, retry=session.retry) as own:
        sender = Sender(
            own,
            upload,
            draft.read,
            retry=session.retry.patient(),
            report=lambda upload: report(Progress(1.0, upload.offset, video.size)),
        )
        while not sender.is_finished:
            sender.advance(video.size, length=video.size)
    return upload.id


def _post(session: Session, draft: Draft, upload: str, owner: _Owner, secret: bytes | None) -> Left:
    record = draft.record
    details = Details(
        video=record.video, caption=record.caption, captions=record.captions, poster=record.poster
    )
    sealed = seal_details(details, draft.key)
    message = Message(
        id=record.id,
        kind=Kind.VIDEO,
        created_ms=now_ms(),
        key=draft.key,
        details_sha256=details_sha256(sealed),
        upload=upload,
        reply_to=owner.reply_to,
        answer_to=_answer_to(secret),
    )
    told = CallMessage(record.id, "video", b64(message.details_sha256), upload)
    octets = "application/octet-stream"
    parts: dict[str, Any] = {
        "message": (None, ijson.encode(told), "application/json"),
        "details": (None, sealed, octets),
        "envelope:owner": (
            None,
            seal_for_account(message, Caller(record.call.name if record.call else None), owner.record),
            octets,
        ),
    }
    form = httpx.Request("POST", "https://localhost/", files=parts)
    body, headers = form.read(), {"content-type": form.headers["content-type"]}
    retry = session.retry.patient()
    return session.call("POST", "/api/v1/calls/message", content=body, headers=headers, retry=retry).decode(
        Left
    )


def _answer_to(secret: bytes | None) -> AnswerTo | None:
    if secret is None:
        return None
    access = link_access(secret)
    return AnswerTo(recipient=str(access.identity.recipient()), bearer_sha256=b64(access.bearer_sha256))
