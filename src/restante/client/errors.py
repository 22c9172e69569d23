"""What can go wrong between this device and its server; what received things can be wrong with stands in crypto.errors.

ClientError
├── Misuse                   what was asked for cannot be meant
│   ├── Bad…                 bad-country, bad-invite, bad-name, bad-server-url, bad-witness
│   ├── LinkMalformed        link-malformed
│   ├── Place…               place-is-here, place-unknown
│   ├── PlainHttpRefused     plain-http-refused
│   └── UnknownServer        unknown-server
├── Unreachable              server-unreachable
├── ServerProblem            the server's own code (protocol/codes.py)
├── ServerUnbelievable       the server's answers cannot be true
│   ├── Redirected           redirected
│   ├── Answer…              answer-malformed, answer-too-large
│   ├── OffsetImpossible     offset-impossible
│   └── MessageMislabelled   message-mislabelled
├── ServerTooNew             server-too-new
├── ProfileError
│   ├── NoAccount            no-account
│   ├── AlreadySignedIn      already-signed-in
│   ├── ProfileDamaged       profile-damaged
│   └── VaultLocked          vault-locked
├── SendError
│   ├── NobodyToSendTo       no-recipients
│   ├── TooManyRecipients    too-many-recipients
│   ├── CaptionTooLong       caption-too-long
│   ├── Captions…            captions-empty, captions-malformed, captions-too-large
│   ├── AlreadyAddressed     already-addressed
│   ├── Draft…               draft-unknown, draft-busy, draft-empty
│   ├── SourceChanged        source-changed
│   └── UploadGone           upload-gone
├── MailboxError
│   ├── Message…             message-unknown, message-ambiguous, message-missing
│   ├── NothingToSave        nothing-to-save
│   ├── NoPlayer             no-player
│   ├── PlayerFailed         player-failed
│   └── TargetExists         target-exists
├── ArchiveDamaged           archive-damaged; ArchiveLocked archive-locked; OtherKeys other-keys
└── WebError                 in client.web_errors

    >>> str(NoAccount()), NoAccount.code
    ('Nobody is signed in here', 'no-account')
"""

from typing import ClassVar

from restante.protocol.codes import CODES
from restante.protocol.wire import Problem


class ClientError(Exception):
    """``str()`` is a sentence for people, ``hint`` the way out, ``code`` is stable."""

    code: ClassVar[str]
    sentence: ClassVar[str]
    hint: str = ""

    def __init__(self, detail: str = "", *, hint: str | None = None) -> None:
        super().__init__(f"{self.sentence}: {detail}" if detail else self.sentence)
        if hint is not None:
            self.hint = hint


class Misuse(ClientError):
    """The call itself is wrong; a command line exits with 2."""


class BadName(Misuse):
    code = "bad-name"
    sentence = "This is not an account's name"
    hint = "A name has 3 to 32 of a-z, 0-9, _ and -."


class BadInvite(Misuse):
    code = "bad-invite"
    sentence = "This is not an invite"
    hint = "An invite has 16 letters and digits, such as abcd-efgh-ijkl-mnop; or give all of its link, in quotes."


class BadCountry(Misuse):
    code = "bad-country"
    sentence = "This is not a country"
    hint = "It is two letters of ISO 3166, such as GB."


class LinkMalformed(Misuse):
    code = "link-malformed"
    sentence = "This is not a link to a person"
    hint = "Such a link ends in #fp. and 22 characters; copy all of it, in quotes."


class GuestLinkMalformed(Misuse):
    code = "guest-link-malformed"
    sentence = "This is not the address of a message or of an answering page"
    hint = "Copy all of it, with what follows the #, in quotes."


class LinkNeedsPassword(Misuse):
    code = "link-needs-password"
    sentence = "This link needs a password, or another one than that"
    hint = "Ask who sent the link; nothing was counted. Then: --password."


class MayNotSave(ClientError):
    code = "may-not-save"
    sentence = "Who sent this does not want it saved"
    hint = "Open the link in a browser to watch it."


class NoAnswerWanted(ClientError):
    code = "no-answer-wanted"
    sentence = "Nobody left a way to answer this message"
    hint = "Only messages from an answering page can have one, if their caller wished it."


class PageOff(ClientError):
    code = "page-off"
    sentence = "Your answering page was never switched on"
    hint = "restante page on"


class ProofTooSlow(ClientError):
    code = "proof-too-slow"
    sentence = "The proof of work was not found in time"
    hint = "Try again while the machine has less to do."


class ForwardOnce(Misuse):
    code = "forward-once"
    sentence = "What is to be watched once cannot be passed on"
    hint = "Leave out --once or --may-forward."


class ForwardRefused(ClientError):
    code = "forward-refused"
    sentence = "The sender did not allow to pass this message on"
    hint = "Ask the sender to send it to them."


class NothingToSay(Misuse):
    code = "nothing-to-say"
    sentence = "A message of words needs some, and a reaction has at most 32 characters"
    hint = "restante reply MESSAGE --text WORDS"


class ReplyUnknown(ClientError):
    code = "reply-unknown"
    sentence = "Nobody signed this message, so there is nobody to answer"
    hint = "Write to its sender by name: restante send NAME FILE."


class OnceOnly(ClientError):
    code = "once-only"
    sentence = "The sender asks that this is watched once, and not saved"
    hint = "restante watch shows it, then deletes your copy."


class KeptFull(ClientError):
    code = "kept-full"
    sentence = "So many messages of this month are kept or archived that no other fits"
    hint = "Delete some instead."


class AuditRewritten(ClientError):
    code = "audit-rewritten"
    sentence = "The server's list of deletions does not hold together, or is not the one it gave before"
    hint = (
        "The server changed what it had noted. Do not rely on what it says of deletions; tell its operator."
    )


class GroupUnknown(Misuse):
    code = "group-unknown"
    sentence = "There is no group of this name"
    hint = "restante groups lists them."


class GroupNameTaken(Misuse):
    code = "group-name-taken"
    sentence = "There is a group of this name"
    hint = "restante groups add GROUP NAME adds people to it."


class NotReceived(Misuse):
    code = "not-received"
    sentence = "Only a message that you received can be reported"
    hint = "restante inbox lists them."


class BadServerUrl(Misuse):
    code = "bad-server-url"
    sentence = "This is not the address of a server"
    hint = "Give scheme, host and perhaps port, such as https://post.example."


class BadWitness(Misuse):
    code = "bad-witness"
    sentence = "This is not the key of a witness"
    hint = "It is one line, NAME+ID+KEY, as the witness publishes it."


class PlainHttpRefused(Misuse):
    code = "plain-http-refused"
    sentence = "Plain http is for this machine only"
    hint = "Use https://, or a server on 127.0.0.1."


class PlaceUnknown(Misuse):
    code = "place-unknown"
    sentence = "There is no such device, or more than one"
    hint = "restante sessions lists them."


class PlaceIsHere(Misuse):
    code = "place-is-here"
    sentence = "This is the device that you are using"
    hint = "restante sign-out signs out here."


class UnknownServer(Misuse):
    code = "unknown-server"
    sentence = "This account is on another server, and messages stay on one"
    hint = "Use a profile of an account on that server."


class Unreachable(ClientError):
    """No answer, or one that broke off, in spite of repeating."""

    code = "server-unreachable"
    sentence = "The server does not answer"
    hint = "Check the address and the connection, then try again."


class ServerProblem(ClientError):
    """The server refused; ``problem`` is its answer. Known codes are told in our own words."""

    sentence = "The server refused"

    def __init__(self, problem: Problem) -> None:
        entry = CODES.get(problem.code)
        title = entry.title if entry else printable(problem.title) or "The server refused."
        names = (
            f" ({', '.join(printable(name) for name in problem.recipients)})" if problem.recipients else ""
        )
        super().__init__(hint=entry.hint if entry else printable(problem.hint))
        self.args = (title.rstrip(".") + names,)
        self.problem = problem
        self.status = problem.status

    @property
    def code(self) -> str:  # type: ignore[override] # here it is the server's
        """The server's code."""
        return self.problem.code


class ServerUnbelievable(ClientError):
    """The answer cannot be true; nothing of it is used."""

    hint = "Check the server's address; if it is right, tell its operator."


class Redirected(ServerUnbelievable):
    code = "redirected"
    sentence = "The server sends elsewhere, which is never followed"


class AnswerMalformed(ServerUnbelievable):
    code = "answer-malformed"
    sentence = "The server's answer is not what it must be"


class AnswerTooLarge(ServerUnbelievable):
    code = "answer-too-large"
    sentence = "The server's answer is larger than it may be"


class OffsetImpossible(ServerUnbelievable):
    code = "offset-impossible"
    sentence = "The server claims to have bytes that were never sent"


class MessageMislabelled(ServerUnbelievable):
    code = "message-mislabelled"
    sentence = "The server lists a message under another one's id"


class ServerTooNew(ClientError):
    code = "server-too-new"
    sentence = "The server speaks another version of the protocol"
    hint = "Update Restante."


class ProfileError(ClientError):
    """Something about the folder in which this device keeps its account."""


class NoAccount(ProfileError):
    code = "no-account"
    sentence = "Nobody is signed in here"
    hint = "restante sign-in NAME --server URL, or sign-up for a new account."


class AlreadySignedIn(ProfileError):
    code = "already-signed-in"
    sentence = "Somebody is signed in here"
    hint = "Sign out first, or choose another folder with --profile."


class ProfileDamaged(ProfileError):
    code = "profile-damaged"
    sentence = "This profile cannot be read"
    hint = "Choose another folder with --profile and sign in again there."


class VaultLocked(ProfileError):
    code = "vault-locked"
    sentence = "The operating system's keyring does not give this device's key"
    hint = "Unlock it and try again, or sign in again."


class SendError(ClientError):
    """Nothing was sent."""


class NobodyToSendTo(SendError, Misuse):
    code = "no-recipients"
    sentence = "There is nobody to send to"
    hint = "Name one account at least, then the file."


class TooManyRecipients(SendError, Misuse):
    code = "too-many-recipients"
    sentence = "A message goes to 50 accounts at most"
    hint = "Send it in two rounds."


class CaptionTooLong(SendError, Misuse):
    code = "caption-too-long"
    sentence = "The caption is longer than 32 KiB"
    hint = "Shorten it."


class CaptionsEmpty(SendError, Misuse):
    code = "captions-empty"
    sentence = "There are no captions in this file"
    hint = "Captions are a WebVTT (.vtt) or SRT (.srt) file."


class CaptionsMalformed(SendError, Misuse):
    code = "captions-malformed"
    sentence = "The captions cannot be read"
    hint = "Each caption is a line such as 00:00:01.000 --> 00:00:03.500 and its words below; an empty line ends it."


class CaptionsTooLarge(SendError, Misuse):
    code = "captions-too-large"
    sentence = "The captions are more than a message can carry"
    hint = "24 KiB are possible: a thousand captions at most."


class AlreadyAddressed(SendError, Misuse):
    code = "already-addressed"
    sentence = "This draft has its recipients and words already"
    hint = "restante send --resume DRAFT goes on with it as it is."


class DraftUnknown(SendError):
    code = "draft-unknown"
    sentence = "There is no such draft, or more than one"
    hint = "restante drafts lists them."


class DraftBusy(SendError):
    code = "draft-busy"
    sentence = "Another command is sending this draft"
    hint = "Wait for it, or stop it first."


class DraftEmpty(SendError):
    code = "draft-empty"
    sentence = "Nothing was kept of what this draft was to hold"
    hint = "restante drafts --discard DRAFT removes it."


class SourceChanged(SendError):
    code = "source-changed"
    sentence = "The draft was not complete, and its file is gone or has changed"
    hint = "Send the file again; `restante drafts --discard DRAFT` removes what is left."


class UploadGone(SendError):
    """The server knows the upload no longer; what was kept on this device goes to a new one."""

    code = "upload-gone"
    sentence = "The server no longer has the upload"
    hint = "restante send --resume sends it again."


class MailboxError(ClientError):
    """What was asked for is not in the mailbox."""


class MessageUnknown(MailboxError):
    code = "message-unknown"
    sentence = "There is no such message"
    hint = "restante inbox and restante sent list them; 1 is the newest of the inbox."


class MessageAmbiguous(MailboxError):
    code = "message-ambiguous"
    sentence = "More than one message begins like this"
    hint = "Give more characters of its id."


class MessageMissing(MailboxError):
    """A hint, never raised: an envelope names an earlier one of its sender that did not come."""

    code = "message-missing"
    sentence = "A video may be missing before this one"
    hint = "Ask its sender: it was taken back, or the server holds it back."


class NothingToSave(MailboxError):
    code = "nothing-to-save"
    sentence = "This message has no video"
    hint = "restante inbox shows its words."


class NoPlayer(MailboxError):
    code = "no-player"
    sentence = "There is no program here that plays videos"
    hint = "Install mpv, name a player with --player, or take restante save."


class PlayerFailed(MailboxError):
    code = "player-failed"
    sentence = "The player ended with an error"
    hint = "Choose another one with --player, or take restante save."


class TargetExists(MailboxError):
    code = "target-exists"
    sentence = "There is a file of this name"
    hint = "Choose another name with -o, or allow to replace it with --force."


class ArchiveDamaged(ClientError):
    code = "archive-damaged"
    sentence = "This is no export of Restante, or it is damaged or cut off"
    hint = "Export again with restante export, and copy the whole folder."


class ArchiveLocked(ClientError):
    code = "archive-locked"
    sentence = "Neither the passphrase nor the recovery code opens this export"
    hint = "Use the passphrase or the recovery code of the account that was exported."


class OtherKeys(ClientError):
    code = "other-keys"
    sentence = "The account that is signed in here has other keys than the exported one"
    hint = (
        "Choose another folder with --profile: restante import makes an account with the exported keys there."
    )


def printable(text: str) -> str:
    """Makes foreign text harmless on a terminal: no control characters, one line, 500 characters at most."""
    return "".join(character if character.isprintable() else " " for character in text[:500]).strip()
