"""Twenty-four lies, when each is told, and what the two clients must say of it: a code, or that it did no harm.

The number is that of the kind. Where a kind has no lie here, `ELSEWHERE` names the test that has it.
"""

from dataclasses import dataclass
from enum import StrEnum

from tests.lies import lies
from tests.lies.lies import Lie

UNHARMED = "unharmed"
DAMAGED = "fail_damaged|watch_damaged"
CHANGED = "safety-number-changed|log-omission"
CUT = "fail_cut|watch_cut"


class Step(StrEnum):
    """What the victim does meanwhile."""

    WRITE = "writes to a contact"
    MEET = "opens somebody's link"
    LIST = "is left a message"
    WATCH = "watches a message"
    SIGN_IN = "signs in"
    OPEN = "opens the mailbox"
    SEND = "sends a video"


@dataclass(frozen=True)
class Row:
    """``cli`` is a code; ``web`` the words, by their keys in `web/messages/en.json`: one of these."""

    kind: int
    name: str
    step: Step
    lie: Lie
    cli: str
    web: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


TABLE = (
    Row(1, "another key", Step.WRITE, lies.OTHER_KEY, CHANGED, "fail_new_key|fail_log"),
    Row(2, "a key added", Step.WRITE, lies.ADDED_KEY, "signature-bad", "fail_identity"),
    Row(3, "an unsigned key", Step.WRITE, lies.UNSIGNED_RECORD, "signature-missing", "fail_identity"),
    Row(4, "an older list of keys", Step.WRITE, lies.OLDER_RECORDS, "record-rollback", "fail_identity"),
    Row(5, "another video", Step.WATCH, lies.SWAPPED_VIDEO, "video-part-swapped", DAMAGED),
    Row(6, "a message again as new", Step.LIST, lies.RENAMED, "message-mislabelled", "fail_misdirected"),
    Row(6, "a message to another", Step.LIST, lies.PASSED_ON, "wrong-recipient", "fail_misdirected"),
    Row(7, "without its last chunk", Step.WATCH, lies.WITHOUT_LAST_CHUNK, "video-cut-off", CUT),
    Row(8, "a chunk twice", Step.WATCH, lies.DUPLICATED_CHUNK, "video-part-swapped", DAMAGED),
    Row(8, "chunks reordered", Step.WATCH, lies.REORDERED_CHUNKS, "video-part-swapped", DAMAGED),
    Row(9, "truncated in silence", Step.WATCH, lies.SHORTENED, "video-cut-off", CUT),
    Row(10, "sender, time and kind relabelled", Step.LIST, lies.RELABELLED, UNHARMED, UNHARMED),
    Row(11, "another suite", Step.LIST, lies.OTHER_SUITE, "envelope-no-match", "fail_cannot_open"),
    Row(11, "the signature gone", Step.LIST, lies.WITHOUT_SIGNATURE, "sender-not-signed", "fail_forged"),
    Row(11, "a weaker key in a record", Step.WRITE, lies.WEAK_KEY, "signature-bad", "fail_identity"),
    Row(11, "an older protocol", Step.SIGN_IN, lies.OLDER_PROTOCOL, "server-too-new", "fail_outdated"),
    Row(12, "no salt", Step.SIGN_IN, lies.NO_SALT, "salt-malformed", "fail_salt"),
    Row(12, "costly parameters", Step.SIGN_IN, lies.COSTLY_KDF, UNHARMED, UNHARMED),
    Row(13, "injected in a contact's name", Step.LIST, lies.INJECTED, "wrong-signer", "fail_forged"),
    Row(14, "another's keyring", Step.SIGN_IN, lies.FOREIGN_KEYRING, "keyring-no-match", "fail_keyring"),
    Row(15, "a message withheld", Step.LIST, lies.WITHHELD, "message-missing", "inbox_gap"),
    Row(
        16,
        "another history here than there",
        Step.WRITE,
        lies.FORKED_RECORDS,
        "record-forked",
        "fail_identity",
    ),
    Row(
        17,
        "behind a link another key",
        Step.MEET,
        lies.INVITED_KEY,
        "fingerprint-mismatch|log-omission",
        "fail_fingerprint|fail_log",
    ),
    Row(18, "an offset beyond, to a PATCH", Step.SEND, lies.BEYOND_IN_PATCH, "offset-impossible", UNHARMED),
    Row(18, "an offset beyond, to a HEAD", Step.SEND, lies.BEYOND_IN_HEAD, "offset-impossible", UNHARMED),
    Row(19, "other bytes stored", Step.SEND, lies.STORED_OTHERWISE, "video-part-swapped", DAMAGED),
    Row(20, "a negative size", Step.LIST, lies.NEGATIVE_SIZE, UNHARMED, UNHARMED),
    Row(20, "a huge size", Step.LIST, lies.HUGE_SIZE, UNHARMED, UNHARMED),
    Row(20, "a video without end", Step.WATCH, lies.ENDLESS_VIDEO, "video-excess", UNHARMED),
    Row(20, "an answer without end", Step.OPEN, lies.ENDLESS_ANSWER, "answer-too-large", "fail_answer"),
    Row(20, "an answer that swells", Step.OPEN, lies.SWELLING_ANSWER, "answer-malformed", "fail_answer"),
    Row(21, "to another host", Step.OPEN, lies.REDIRECTED, "redirected", "fail_answer"),
    Row(22, "names that are not names", Step.LIST, lies.NAMED, "answer-malformed", UNHARMED),
    Row(24, "hints that are addresses", Step.OPEN, lies.FORGED_HINTS, UNHARMED, UNHARMED),
)

ELSEWHERE = {23: "tests/e2e/test_verify_web.py"}
"""Altered assets, for some or for all, are no answer to this client: who looks is `restante verify-web`."""


def rows(*steps: Step) -> list[Row]:
    return [row for row in TABLE if row.step in steps]
