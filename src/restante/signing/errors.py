"""What can be wrong with a signed container, a signing key or an account record.

ProtocolError                    base of both trees: this one and restante.crypto.errors
└── SigningError
    ├── ContainerError
    │   ├── ContainerTooLarge    container-too-large
    │   ├── ContainerMalformed   container-malformed
    │   ├── NeedsNewerVersion    needs-newer-version
    │   ├── WrongType            container-type
    │   ├── BadSigningKey        signing-key-bad
    │   ├── BadSignature         signature-bad
    │   ├── SignatureMissing     signature-missing
    │   └── PayloadMalformed     payload-malformed
    └── RecordError
        ├── RecordMalformed      record-malformed
        ├── RecordTooLong        record-validity
        ├── RecordNotSelfSigned  record-not-self-signed
        ├── RecordOtherAccount   record-other-account
        ├── RecordRollback       record-rollback
        ├── RecordChainBroken    record-chain-broken
        ├── RecordKeyChanged     record-key-changed
        └── BadSuccession        succession-bad
"""

from typing import ClassVar


class ProtocolError(ValueError):
    """Something received does not keep the protocol; ``code`` is stable, ``hint`` says what a person can do."""

    code: ClassVar[str]
    sentence: ClassVar[str]
    hint: ClassVar[str]

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.sentence}: {detail}" if detail else self.sentence)
        self.detail = detail


class SigningError(ProtocolError):
    """Any of this tree."""


class ContainerError(SigningError):
    """A signed container is refused."""

    hint = "It was damaged or made by a faulty program; ask for it again."


class ContainerTooLarge(ContainerError):
    code = "container-too-large"
    sentence = "The signed container is larger than its kind may be"


class ContainerMalformed(ContainerError):
    code = "container-malformed"
    sentence = "The signed container is not of the form type, signer, signature, payload"


class NeedsNewerVersion(ContainerError):
    code = "needs-newer-version"
    sentence = "This was made by a newer version of Restante"
    hint = "Update Restante and try again."


class WrongType(ContainerError):
    code = "container-type"
    sentence = "The signed container is of another kind than this place asks for"


class BadSigningKey(ContainerError):
    code = "signing-key-bad"
    sentence = "The signing key is not a valid Ed25519 public key"


class BadSignature(ContainerError):
    code = "signature-bad"
    sentence = "The signature does not fit the content"


class SignatureMissing(ContainerError):
    code = "signature-missing"
    sentence = "The container is not signed, and its kind must be"


class PayloadMalformed(ContainerError):
    code = "payload-malformed"
    sentence = "The content of the container is not what its kind prescribes"


class RecordError(SigningError):
    """An account record is refused."""

    hint = "The server gave a wrong account record; compare safety numbers with the person before you send."


class RecordMalformed(RecordError):
    code = "record-malformed"
    sentence = "The account record contradicts itself"


class RecordTooLong(RecordError):
    code = "record-validity"
    sentence = "The account record's validity is empty or longer than 400 days"


class RecordNotSelfSigned(RecordError):
    code = "record-not-self-signed"
    sentence = "The account record is signed by another key than the one it names"


class RecordOtherAccount(RecordError):
    code = "record-other-account"
    sentence = "The account record belongs to another account"


class RecordRollback(RecordError):
    code = "record-rollback"
    sentence = "The account record is older than one already known"


class RecordChainBroken(RecordError):
    code = "record-chain-broken"
    sentence = "The account record does not follow the one before it"


class RecordKeyChanged(RecordError):
    code = "record-key-changed"
    sentence = "The account record has a new signing key that the old one did not approve"


class BadSuccession(RecordError):
    code = "succession-bad"
    sentence = "The succession does not connect the old signing key with the new one"
