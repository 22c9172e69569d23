"""Every problem code that the server answers: status, sentence and way out (RFC 9457, docs/reference/errors.md).

The list is closed: the server raises nothing else, and a client may rely on each.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Code:
    """One stable problem code; ``hint`` names the way out and is shown to people."""

    code: str
    status: int
    title: str
    hint: str = ""


CODES: Final[dict[str, Code]] = {
    entry.code: entry
    for entry in (
        Code("bad-request", 400, "The request is malformed."),
        Code(
            "bad-json", 400, "The body is not strict JSON.", "Send UTF-8 JSON without duplicate keys or NaN."
        ),
        Code("bad-multipart", 400, "The multipart body is malformed or incomplete."),
        Code("bad-length", 400, "A length or an offset is malformed or contradicts what is known."),
        Code("bad-metadata", 400, "Upload-Metadata is malformed or too long."),
        Code("bad-idempotency-key", 400, "Idempotency-Key is missing or not 16 to 64 plain characters."),
        Code(
            "passkey-refused",
            400,
            "The passkey was not accepted.",
            "Try again, or use another way in.",
        ),
        Code(
            "prf-output-posted",
            400,
            "The request carries a passkey's secret, which must not leave the device.",
            "Update the app; nothing of the request was kept.",
        ),
        Code("not-signed-in", 401, "You are not signed in, or the session has ended.", "Sign in again."),
        Code(
            "device-removed",
            401,
            "This device was removed by another device of the account.",
            "Sign in again, if it is yours. What was not sent is still on it.",
        ),
        Code(
            "sign-in-refused",
            401,
            "The name or the secret is wrong.",
            "Check both. An account that only has passkeys has no passphrase: use its recovery code, or pair this device.",
        ),
        Code(
            "authorization-pending",
            400,
            "Nobody has decided about this pairing yet.",
            "Ask again after the interval.",
        ),
        Code(
            "plan-limit",
            402,
            "Your plan has no more of this left.",
            "What you recorded is kept, and receiving stays free. See your plan in the settings, or restante plan.",
        ),
        Code(
            "not-in-plan",
            402,
            "Your plan does not include this.",
            "See your plan in the settings, or restante plan.",
        ),
        Code(
            "payments-unavailable",
            403,
            "This cannot be paid here.",
            "Ask the operator of this server.",
        ),
        Code("notice-refused", 400, "The notice is not signed as it should be, or too old."),
        Code("pairing-refused", 403, "The pairing was refused.", "Begin a new one if that was a mistake."),
        Code(
            "verification-needed",
            403,
            "This change asks anew who you are.",
            "Use your passkey, passphrase or recovery code once more, then repeat it.",
        ),
        Code(
            "passkey-needed",
            403,
            "The operator's desk opens for accounts with a passkey only.",
            "Add a passkey in the settings.",
        ),
        Code(
            "account-banned",
            403,
            "The operator of this server has stopped this account from sending.",
            "What you have you can still read, save and export. To appeal, write to the operator.",
        ),
        Code(
            "report-unproven",
            422,
            "What is disclosed is not the message that this server handed on to you.",
            "Report the message as you received it.",
        ),
        Code(
            "message-quarantined",
            451,
            "The operator of this server took this message out of sight.",
            "To appeal, write to the operator.",
        ),
        Code(
            "not-available-yet",
            403,
            "Sign-up and sending are not open here yet.",
            "You can ask to be told. Receiving, links and saving work; what you recorded stays with you.",
        ),
        Code(
            "ticket-needed",
            403,
            "This server takes new accounts only from people it knows.",
            "Ask its operator.",
        ),
        Code(
            "ticket-refused",
            403,
            "The invite is wrong, used up or too old.",
            "Check its letters, or ask who gave it to you for another one.",
        ),
        Code(
            "ticket-used",
            409,
            "This address or identity has an account here already.",
            "Sign in to that one.",
        ),
        Code(
            "identity-linked",
            409,
            "This account is linked to another identity already.",
            "Unlink that one first.",
        ),
        Code(
            "identity-needed",
            409,
            "This account was made with this identity, and the operator wants it to stay.",
            "Ask the operator, or delete the account.",
        ),
        Code(
            "wrong-domain",
            403,
            "This address is of none of the domains whose people may sign up.",
            "Use your address there.",
        ),
        Code(
            "provider-failed",
            502,
            "The provider of identities did not answer as it should.",
            "Try again; if it happens twice, tell the server's operator.",
        ),
        Code("forbidden-origin", 403, "The request comes from another site."),
        Code(
            "passkeys-unavailable",
            403,
            "Passkeys need a domain name with HTTPS, or localhost.",
            "Use a passphrase, or open the server by its name.",
        ),
        Code(
            "verification-needed",
            403,
            "This change asks anew who you are.",
            "Use your passkey, passphrase or recovery code once more, then repeat it.",
        ),
        Code(
            "wrong-code",
            403,
            "The code is wrong, or its time is over.",
            "Check the newest mail, or have another code sent.",
        ),
        Code(
            "mail-unavailable",
            403,
            "This server writes no mail.",
            "Use push in a browser, or ask its operator.",
        ),
        Code(
            "may-not-forward",
            403,
            "The sender did not allow to pass this message on, or it was passed on already.",
            "Ask the sender to send it to them.",
        ),
        Code(
            "page-closed",
            403,
            "This page takes no messages at this hour.",
            "Come back when it opens: the page says when.",
        ),
        Code(
            "page-needs-link", 403, "This page takes messages only by its owner's link.", "Ask them for it."
        ),
        Code(
            "page-needs-account",
            403,
            "This page takes messages only from accounts of this server.",
            "Sign in, and send your message to its owner.",
        ),
        Code(
            "pages-unavailable",
            403,
            "This server offers no answering pages.",
            "Its operator has to set a contact for reports of abuse first.",
        ),
        Code(
            "proof-refused", 403, "The proof of work is wrong, too old or used.", "Fetch another challenge."
        ),
        Code("may-not-answer", 403, "Who sent this did not ask for an answer by this link."),
        Code("view-over", 403, "This view of the message has ended.", "Open the link again."),
        Code("sign-up-closed", 403, "This server takes no new accounts.", "Ask its operator."),
        Code("not-found", 404, "There is no such thing here, or it is not yours."),
        Code("no-such-account", 404, "Nobody has this name on this server.", "Check the spelling."),
        Code("no-such-page", 404, "There is no answering page of this name.", "Check the address."),
        Code(
            "no-such-recipient",
            404,
            "Some recipients have no account here.",
            "Check the names in `recipients`.",
        ),
        Code("method-not-allowed", 405, "This method does not exist here."),
        Code(
            "paid-before",
            409,
            "This reference was recorded for another payment.",
            "Look it up among what was given, or record the payment under its own reference.",
        ),
        Code(
            "already-subscribed",
            409,
            "This plan is paid already.",
            "Cards, invoices and its end are with the payment provider.",
        ),
        Code(
            "nothing-to-ban",
            409,
            "A caller without account left this message.",
            "Take the message out of sight instead.",
        ),
        Code("name-taken", 409, "This name is taken.", "Choose another one."),
        Code(
            "last-way-in",
            409,
            "An account keeps its recovery code and one more way in.",
            "Add another one first; a recovery code is replaced, not removed.",
        ),
        Code(
            "stale-record",
            409,
            "The account record does not follow the one that is stored.",
            "Fetch it and build on it.",
        ),
        Code(
            "offset-mismatch",
            409,
            "The offset is not where the upload stands.",
            "Ask for the offset with HEAD.",
        ),
        Code("upload-finished", 409, "The upload is complete and cannot change."),
        Code("upload-unfinished", 409, "The upload is not complete yet.", "Finish it, then send."),
        Code("upload-claimed", 409, "Another message already carries this upload."),
        Code("id-taken", 409, "A message with this id and other content exists."),
        Code(
            "idempotency-in-flight",
            409,
            "The first request with this key is still being worked on.",
            "Try again shortly.",
        ),
        Code(
            "pairing-expired",
            410,
            "There is no such pairing, or it was used, or its time is over.",
            "Begin a new one: restante pair.",
        ),
        Code("upload-gone", 410, "The upload has expired or was removed.", "Upload it again."),
        Code(
            "call-over",
            410,
            "This call has left its message, or its time is over.",
            "Call again to leave another one.",
        ),
        Code(
            "link-gone",
            410,
            "This link opens nothing any more.",
            "It was taken back, has expired or was opened as often as allowed: ask who sent it for another one.",
        ),
        Code(
            "operator-link-gone",
            410,
            "This operator's link was used, or its half hour is over.",
            "Make another one on the server's machine: restante operator link.",
        ),
        Code("message-gone", 410, "The message was deleted or has expired."),
        Code(
            "stale-version",
            412,
            "Somebody changed it in the meantime.",
            "Fetch it, merge, and store it again.",
        ),
        Code("tus-version", 412, "Only tus 1.0.0 is spoken here."),
        Code("too-large", 413, "The body or the upload is larger than allowed."),
        Code("target-too-long", 414, "The address is too long."),
        Code("wrong-content-type", 415, "The Content-Type is not the one expected here."),
        Code("range-unsatisfiable", 416, "The range lies outside the file."),
        Code("invalid", 422, "The body does not have the expected shape."),
        Code(
            "endpoint-refused",
            422,
            "This server does not connect to that address.",
            "Allow notices in the browser again; if it stays, use mail.",
        ),
        Code("invalid-name", 422, "A name has 3 to 32 of a-z, 0-9, _ and -, and is not reserved."),
        Code("invalid-record", 422, "The account record is not valid."),
        Code("claim-mismatch", 422, "The claimed hash is not that of the details received."),
        Code(
            "key-reused",
            422,
            "The Idempotency-Key was used for another request.",
            "Use a new key for a new request.",
        ),
        Code("locked", 423, "Another request is writing to this upload.", "Try again in a moment."),
        Code("precondition-required", 428, "If-Match or If-None-Match is needed here."),
        Code("rate-limited", 429, "Too many requests of this kind.", "Wait as long as Retry-After says."),
        Code("slow-down", 429, "The machine asks too often.", "Ask again after the longer interval."),
        Code(
            "too-many-links",
            429,
            "This message has as many links as it may have.",
            "Delete the message, or send it anew.",
        ),
        Code("too-many-uploads", 429, "Too many unfinished uploads.", "Finish or delete one of them."),
        Code("headers-too-large", 431, "The headers are too large."),
        Code(
            "internal",
            500,
            "The server failed; the fault is logged under `instance`.",
            "Try again; if it stays, tell the operator.",
        ),
        Code("busy", 503, "The server cannot take this right now.", "Try again shortly; nothing is lost."),
        Code(
            "payments-silent",
            503,
            "The payment provider does not answer.",
            "Try again in a minute; nothing was paid twice.",
        ),
        Code("timeout", 408, "The body did not arrive in time.", "Send the rest from the stored offset."),
        Code(
            "storage-full",
            507,
            "The server's disk is full.",
            "Keep your file and try again later; tell the operator.",
        ),
    )
}
