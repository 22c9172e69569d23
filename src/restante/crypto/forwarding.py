"""Passing on: an envelope on the same message, signed by who passes it on, with the original container inside.

Implements docs/protocol/envelopes.md, "Forwarding".
"""

from dataclasses import dataclass

from restante.crypto.envelopes import EnvelopeFields
from restante.crypto.errors import ForwardMalformed, ForwardNotAllowed
from restante.protocol.encoding import unb64
from restante.protocol.limits import ENVELOPE_PLAINTEXT_BYTES
from restante.signing import container
from restante.signing.errors import SigningError
from restante.signing.keys import fp


@dataclass(frozen=True, slots=True)
class Original:
    """What was passed on, as its sender signed it; ``acct`` is who says so until ``signer`` is known to be theirs."""

    acct: str
    name: str | None
    signer: bytes
    created: int


def read_original(fields: EnvelopeFields, forwarder: bytes | None) -> Original:
    """Reads the original of a forwarded envelope. Raises ForwardMalformed or ForwardNotAllowed.

    It is the same message, was written to the forwarder, allowed it, and was not itself passed on.
    """
    try:
        raw = unb64(fields.forwarded or "")
        box = container.read(raw, container.Type.ENVELOPE, limit=ENVELOPE_PLAINTEXT_BYTES)
        signer = box.require_signer()
        original = box.decode(EnvelopeFields)
    except (SigningError, ValueError) as error:
        raise ForwardMalformed("the original") from error
    if _message(original) != _message(fields):
        raise ForwardMalformed("another message")
    sender = original.from_.acct if original.from_ else None
    passer = fields.from_.acct if fields.from_ else None
    if sender is None or forwarder is None or original.sent_to is not None:
        raise ForwardMalformed("unsigned, or an own copy")
    if original.to.acct != passer or original.to.fp != fp(forwarder):
        raise ForwardMalformed("not written to who passed it on")
    if not original.may_forward or original.once or original.forwarded is not None:
        raise ForwardNotAllowed
    return Original(sender, original.from_.name if original.from_ else None, signer, original.created)


def _message(fields: EnvelopeFields) -> tuple[object, ...]:
    return fields.id, fields.kind, fields.key, fields.details, fields.upload, fields.expires
