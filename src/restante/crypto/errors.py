"""What can be wrong with something sealed for us, and with what a person types to unlock it.

The base and the container's and record's errors stand in restante.signing.errors.

ProtocolError
└── CryptoError
    ├── EnvelopeError
    │   ├── EnvelopeTooLarge        envelope-too-large
    │   ├── EnvelopeNoMatch         envelope-no-match
    │   ├── EnvelopeDamaged         envelope-damaged
    │   ├── EnvelopeMalformed       envelope-malformed
    │   ├── SenderNotSigned         sender-not-signed
    │   ├── SignerUnnamed           signer-unnamed
    │   ├── WrongSigner             wrong-signer
    │   ├── WrongRecipient          wrong-recipient
    │   ├── WrongBox                wrong-box
    │   ├── MessageIdReused         message-id-reused
    │   ├── FromTheFuture           from-the-future
    │   ├── ForwardMalformed        forward-malformed
    │   └── ForwardNotAllowed       forward-not-allowed
    ├── ReceiptError
    │   ├── ReceiptMalformed        receipt-malformed
    │   ├── ReceiptForged           receipt-forged
    │   └── ReceiptOfOther          receipt-of-other
    ├── DetailsError
    │   ├── DetailsTooLarge         details-too-large
    │   ├── DetailsSwapped          details-swapped
    │   ├── DetailsDamaged          details-damaged
    │   ├── DetailsMalformed        details-malformed
    │   └── RecordingTooLong        recording-too-long
    ├── VideoError
    │   ├── PartSwapped             video-part-swapped
    │   ├── VideoCutOff             video-cut-off
    │   ├── VideoExcess             video-excess
    │   ├── VideoDamaged            video-damaged
    │   └── VideoTooLarge           video-too-large
    ├── KeyringError
    │   ├── KeyringTooLarge         keyring-too-large
    │   ├── KeyringNoMatch          keyring-no-match
    │   ├── KeyringDamaged          keyring-damaged
    │   ├── KeyringMalformed        keyring-malformed
    │   ├── KeyringForged           keyring-forged
    │   ├── KeyringRolledBack       keyring-rolled-back
    │   └── KeyringConflict         keyring-conflict
    ├── StateError
    │   ├── ShardTooLarge           shard-too-large
    │   ├── ShardDamaged            shard-damaged
    │   ├── ShardMalformed          shard-malformed
    │   ├── ShardForged             shard-forged
    │   ├── ShardSwapped            shard-swapped
    │   └── ShardRolledBack         shard-rolled-back
    ├── PinError
    │   ├── SafetyNumberChanged     safety-number-changed
    │   ├── FingerprintMismatch     fingerprint-mismatch
    │   └── RecordForked            record-forked
    ├── PageDamaged                 page-damaged
    └── UnlockError
        ├── RecoveryCodeMalformed   recovery-code-malformed
        ├── RecoveryCodeTypo        recovery-code-typo
        ├── PassphraseTooShort      passphrase-too-short
        ├── PassphraseTooSimple     passphrase-too-simple
        └── SaltMalformed           salt-malformed
"""

from restante.signing.errors import ProtocolError


class CryptoError(ProtocolError):
    """Any of this tree."""


class EnvelopeError(CryptoError):
    """An envelope is refused; nothing of it is shown."""

    hint = "Ask the sender to send it again; if it happens twice, the server or a third party interferes."


class EnvelopeTooLarge(EnvelopeError):
    code = "envelope-too-large"
    sentence = "The envelope is larger than 24 KiB"


class EnvelopeNoMatch(EnvelopeError):
    code = "envelope-no-match"
    sentence = "None of this account's keys opens the envelope"
    hint = "It was sealed for somebody else, or for a key that this account no longer keeps."


class EnvelopeDamaged(EnvelopeError):
    code = "envelope-damaged"
    sentence = "The envelope was damaged, cut off or altered"


class PageDamaged(CryptoError):
    code = "page-damaged"
    sentence = "What the answering page says was damaged or altered, or belongs to another link"
    hint = "Ask its owner for the link again."


class EnvelopeMalformed(EnvelopeError):
    code = "envelope-malformed"
    sentence = "The envelope's content contradicts itself"


class SenderNotSigned(EnvelopeError):
    code = "sender-not-signed"
    sentence = "The envelope names an account as its sender but is not signed"


class SignerUnnamed(EnvelopeError):
    code = "signer-unnamed"
    sentence = "The envelope is signed but names no account as its sender"


class WrongSigner(EnvelopeError):
    code = "wrong-signer"
    sentence = "The envelope is signed by another key than the one known for its sender"
    hint = "Fetch the sender's account record; if their key changed, compare safety numbers first."


class WrongRecipient(EnvelopeError):
    code = "wrong-recipient"
    sentence = "The envelope was written to somebody else and passed on to you"


class WrongBox(EnvelopeError):
    code = "wrong-box"
    sentence = "A sender's own copy was delivered as a message, or a message as an own copy"


class MessageIdReused(EnvelopeError):
    code = "message-id-reused"
    sentence = "Another message with the same id was received before"


class FromTheFuture(EnvelopeError):
    code = "from-the-future"
    sentence = "The message says that it was made more than a day from now"
    hint = "Check this device's clock; if it is right, the sender's was wrong."


class ForwardMalformed(EnvelopeError):
    code = "forward-malformed"
    sentence = "What was passed on is not what its sender signed"
    hint = "Ask who sent it first to send it to you."


class ForwardNotAllowed(EnvelopeError):
    code = "forward-not-allowed"
    sentence = "The message was passed on though its sender did not allow it"
    hint = "Ask who sent it first to send it to you."


class ReceiptError(CryptoError):
    """A receipt is refused; the message counts as it did before."""

    hint = "What the server says of this message is not confirmed by its recipient."


class ReceiptMalformed(ReceiptError):
    code = "receipt-malformed"
    sentence = "The content of the receipt is not what the protocol prescribes"


class ReceiptForged(ReceiptError):
    code = "receipt-forged"
    sentence = "The receipt is not signed by the key known for its recipient"


class ReceiptOfOther(ReceiptError):
    code = "receipt-of-other"
    sentence = "The receipt is of another message, or for somebody else"


class DetailsError(CryptoError):
    """The details of a message are refused."""

    hint = EnvelopeError.hint


class DetailsTooLarge(DetailsError):
    code = "details-too-large"
    sentence = "The details are larger than 128 KiB"


class DetailsSwapped(DetailsError):
    code = "details-swapped"
    sentence = "The details are not those that the sender signed"


class DetailsDamaged(DetailsError):
    code = "details-damaged"
    sentence = "The details were damaged or cut off"


class DetailsMalformed(DetailsError):
    code = "details-malformed"
    sentence = "The content of the details is not what the protocol prescribes"


class RecordingTooLong(DetailsError):
    code = "recording-too-long"
    sentence = "The video is longer than three minutes"
    hint = "Ask the sender for a shorter one."


class VideoError(CryptoError):
    """A video is refused, from the place on where it is wrong; what was released before is authentic."""

    hint = "Try again; if it happens twice, ask the sender to send it again."


class PartSwapped(VideoError):
    code = "video-part-swapped"
    sentence = "A part of the video is not the one that the sender signed"


class VideoCutOff(VideoError):
    code = "video-cut-off"
    sentence = "The video is cut off"


class VideoExcess(VideoError):
    code = "video-excess"
    sentence = "Something follows the end of the video"


class VideoDamaged(VideoError):
    code = "video-damaged"
    sentence = "The video cannot be decrypted with this message's key"


class VideoTooLarge(VideoError):
    code = "video-too-large"
    sentence = "The video is larger than 64 MiB when encrypted"
    hint = "Shorten it or lower its quality."


class KeyringError(CryptoError):
    """A keyring is refused, and the account stays locked."""

    hint = "Try another way to sign in; if none opens it, ask the server's operator for the previous keyring."


class KeyringTooLarge(KeyringError):
    code = "keyring-too-large"
    sentence = "The keyring is larger than 64 KiB"
    hint = "Remove devices and ways to sign in that are no longer used."


class KeyringNoMatch(KeyringError):
    code = "keyring-no-match"
    sentence = "This way to sign in does not open the keyring"


class KeyringDamaged(KeyringError):
    code = "keyring-damaged"
    sentence = "The keyring was damaged, cut off or altered"


class KeyringMalformed(KeyringError):
    code = "keyring-malformed"
    sentence = "The content of the keyring is not what the protocol prescribes"


class KeyringForged(KeyringError):
    code = "keyring-forged"
    sentence = "The keyring is not signed by this account's key"
    hint = (
        "The server gave a keyring that this account did not make. Do not send anything; tell the operator."
    )


class KeyringRolledBack(KeyringError):
    code = "keyring-rolled-back"
    sentence = "The server gave an older keyring than this device has seen"
    hint = "A device or way to sign in that you removed may be back. Check the list of devices."


class KeyringConflict(KeyringError):
    code = "keyring-conflict"
    sentence = "Another device made new keys for this account at the same moment"
    hint = "Its keys are in use, and nothing of yours was changed. Do it again only if you still want other keys than those."


class StateError(CryptoError):
    """A state shard is refused; the device goes on with its own copy."""

    hint = "This device keeps its own copy; tell the server's operator if it happens again."


class ShardTooLarge(StateError):
    code = "shard-too-large"
    sentence = "The part of the account's state is larger than 256 KiB"


class ShardDamaged(StateError):
    code = "shard-damaged"
    sentence = "The part of the account's state was damaged, cut off or sealed with another key"


class ShardMalformed(StateError):
    code = "shard-malformed"
    sentence = "The content of the account's state is not what the protocol prescribes"


class ShardForged(StateError):
    code = "shard-forged"
    sentence = "The part of the account's state is not signed by this account's key"


class ShardSwapped(StateError):
    code = "shard-swapped"
    sentence = "The server gave another part of the account's state than the one asked for"


class ShardRolledBack(StateError):
    code = "shard-rolled-back"
    sentence = "The server gave an older state than this device has seen"


class PinError(CryptoError):
    """An account record does not fit what is known of the account."""

    hint = "Compare safety numbers with the person over another channel before you send."


class SafetyNumberChanged(PinError):
    """The account has another signing key and no succession; ``old`` and ``new`` are the public keys."""

    code = "safety-number-changed"
    sentence = "The safety number changed"
    hint = (
        "Ask the person whether they set up a new account; compare safety numbers, then accept the new key."
    )

    def __init__(self, *, old: bytes, new: bytes) -> None:
        super().__init__()
        self.old, self.new = old, new


class FingerprintMismatch(PinError):
    code = "fingerprint-mismatch"
    sentence = "The server shows another key for this account than the link names"
    hint = "Nobody was added. Ask for the link again, in another way; if it happens twice, the server interferes."


class RecordForked(PinError):
    code = "record-forked"
    sentence = "The server shows different account records under the same number"


class UnlockError(CryptoError):
    """What was typed cannot unlock anything; nothing was sent."""


class RecoveryCodeMalformed(UnlockError):
    code = "recovery-code-malformed"
    sentence = "A recovery code has 32 letters and digits and a check symbol"
    hint = "Type all eight groups of four and the last symbol; case, spaces and hyphens do not matter."


class RecoveryCodeTypo(UnlockError):
    code = "recovery-code-typo"
    sentence = "The recovery code has a typing error: its check symbol does not fit"
    hint = "Compare it symbol by symbol with what you wrote down."


class PassphraseTooShort(UnlockError):
    code = "passphrase-too-short"
    sentence = "A passphrase of your own needs at least 12 characters"
    hint = "Use a longer one, or let Restante make one of six words."


class PassphraseTooSimple(UnlockError):
    code = "passphrase-too-simple"
    sentence = "This passphrase is too easy to guess"
    hint = "Use more different characters and not your name, or let Restante make one of six words."


class SaltMalformed(UnlockError):
    code = "salt-malformed"
    sentence = "The server gave a salt that is not 16 bytes, or other parameters than the protocol's"
    hint = "Do not type your passphrase for this server again; tell its operator."
