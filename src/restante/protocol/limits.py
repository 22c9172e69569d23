"""Limits and lifetimes of docs/protocol/limits.md: the same table rules server, clients and tests."""

from datetime import timedelta

KIB = 1024
MIB = 1024 * KIB

RECORDING_MS = 180_000
"""Longest recording, in milliseconds of media time."""
RECORDING_TOLERATED_MS = 180_050
"""What a validator still accepts: the last frame may end a little after the limit."""

UPLOAD_BYTES = 64 * MIB
PART_BYTES = 256 * KIB
"""Unit of hashing of ``video.age``; the last part may be shorter."""
PARTS = 256
UNFINISHED_UPLOADS = 5
"""Unfinished uploads that one account may have at a time."""

DETAILS_BYTES = 128 * KIB
ENVELOPE_PLAINTEXT_BYTES = 16 * KIB
ENVELOPE_BYTES = 24 * KIB
RECIPIENTS = 50
"""Recipient accounts of one message; the sender's own copy does not count."""
FORWARD_RECIPIENTS = 5
"""Recipients of one passing on; there may be several."""
COPIES = 250
"""Recipients of one message, those it was passed on to among them."""
RECEIPT_BYTES = 2 * KIB
LINKS = 20
"""Guest links of one message, ended ones among them."""
PROFILE_BYTES = 16 * KIB
"""``profile.age`` of an answering page."""
KEYRING_BYTES = 64 * KIB
SHARD_BYTES = 256 * KIB
SHARDS = 128
"""State shards of one account: one of seen ids per month for ten years, and the few others."""
RECORD_BYTES = 8 * KIB
PASSKEYS = 20
"""Passkeys of one account."""
POSTER_BYTES = 24 * KIB
CONTAINER_PAD_BYTES = 4096

JSON_BYTES = 160 * KIB
"""Largest JSON body of a request: a sign-up with its keyring and record in base64url fits."""
JSON_DEPTH = 32
JSON_INT = 2**53 - 1
REQUEST_TARGET_BYTES = 8 * KIB
HEADERS_BYTES = 64 * KIB
METADATA_BYTES = 8 * KIB
PAGE_ITEMS = 100

UPLOAD_UNFINISHED_FOR = timedelta(hours=24)
UPLOAD_UNCLAIMED_FOR = timedelta(hours=24)
UPLOAD_CAPABILITY_FOR = timedelta(days=7)
TOMBSTONE_FOR = timedelta(days=90)
ORPHAN_GRACE = timedelta(hours=1)
IDEMPOTENCY_FOR = timedelta(days=7)
SESSION_UNUSED_FOR = timedelta(days=90)
CEREMONY_FOR = timedelta(minutes=5)
"""How long the challenge of a passkey is good, once."""
VERIFIED_FOR = timedelta(minutes=5)
"""How long a sign-in or verification speaks for changes of ways in, devices and keys."""
PLAYED_GRACE = timedelta(minutes=10)
"""How long a message that lasts until it is played can still be watched to its end."""
VIEW_FOR = timedelta(minutes=30)
"""How long one counted open of a guest link shows its message."""
CALL_FOR = timedelta(hours=24)
"""How long a caller without an account may take to leave their message."""
BYTES_GONE_WITHIN = timedelta(seconds=60)
RECORD_VALID_FOR = timedelta(days=400)
CREATED_AHEAD = timedelta(days=1)
"""How far in the future an envelope's ``created`` may lie."""

IDEMPOTENCY_KEY_CHARS = range(16, 65)
