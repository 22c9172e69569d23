// Limits and lifetimes of docs/protocol/limits.md: the same table rules server, clients and tests.

const KIB = 1024;
const MIB = 1024 * KIB;
export const DAY_MS = 86_400_000;

/** Longest recording, in milliseconds of media time. */
export const RECORDING_MS = 180_000;
/** What a reader still accepts: the last frame may end a little after the limit. */
export const RECORDING_TOLERATED_MS = 180_050;

export const UPLOAD_BYTES = 64 * MIB;
/** Unit of hashing of `video.age`; the last part may be shorter. */
export const PART_BYTES = 256 * KIB;
export const PARTS = 256;
export const UNFINISHED_UPLOADS = 5;

export const DETAILS_BYTES = 128 * KIB;
export const ENVELOPE_PLAINTEXT_BYTES = 16 * KIB;
export const ENVELOPE_BYTES = 24 * KIB;
/** Recipient accounts of one message; the sender's own copy does not count. */
export const RECIPIENTS = 50;
/** `profile.age` of an answering page, and the longest note in it. */
export const PROFILE_BYTES = 16 * KIB;
export const NOTE_CHARS = 1000;
/** Of one request to pass a message on. */
export const FORWARD_RECIPIENTS = 5;
export const RECEIPT_BYTES = 2 * KIB;
export const KEYRING_BYTES = 64 * KIB;
export const SHARD_BYTES = 256 * KIB;
export const SHARDS = 128;
/** How many ids a shard of seen ids takes before its month goes on in the next one. */
export const SEEN_IDS = 4000;
/** Messages of one month that can be kept above the others or archived. */
export const KEPT_IDS = 1500;
export const RECORD_BYTES = 8 * KIB;
export const SUCCESSION_BYTES = KIB;
export const ALIAS_BYTES = KIB;
export const POSTER_BYTES = 24 * KIB;
export const CONTAINER_PAD_BYTES = 4096;
export const NAME_CHARS = 64;

export const JSON_DEPTH = 32;
export const JSON_INT = Number.MAX_SAFE_INTEGER;

export const RECORD_VALID_MS = 400 * DAY_MS;
/** How far in the future an envelope's `created` may lie. */
export const CREATED_AHEAD_MS = DAY_MS;
