import { m } from "../i18n/messages";
import type { Failure } from "./views";

export interface FailureWords {
  title: string;
  text: string;
}
type Say = (failure: Failure, name: string) => FailureWords;

const minutes = (failure: Failure): number => Math.max(1, Math.ceil((failure.retryAfterS ?? 60) / 60));

const silent: Say = () => ({ title: m.fail_silent(), text: m.fail_silent_text() });
const clash: Say = () => ({ title: m.fail_clash(), text: m.fail_clash_text() });
const tampered: Say = (_failure, name) => ({ title: m.fail_tampered(), text: m.fail_tampered_text({ name }) });
const forged: Say = (_failure, name) => ({ title: m.fail_forged(), text: m.fail_forged_text({ name }) });
const misdirected: Say = (_failure, name) => ({ title: m.fail_misdirected(), text: m.fail_misdirected_text({ name }) });
const locked: Say = () => ({ title: m.fail_keyring(), text: m.fail_keyring_text() });
const old: Say = () => ({ title: m.fail_rollback(), text: m.fail_rollback_text() });
const gone: Say = () => ({ title: m.fail_gone(), text: m.fail_gone_text() });
const damaged: Say = (_failure, name) => ({ title: m.fail_damaged(), text: m.fail_damaged_text({ name }) });
const cut: Say = (_failure, name) => ({ title: m.fail_cut(), text: m.fail_cut_text({ name }) });
const long: Say = (_failure, name) => ({ title: m.fail_long(), text: m.fail_long_text({ name }) });
const full: Say = () => ({ title: m.fail_server_full(), text: m.fail_server_full_text() });
const outdated: Say = () => ({ title: m.fail_outdated(), text: m.fail_outdated_text() });
const unreadable: Say = () => ({ title: m.fail_answer(), text: m.fail_answer_text() });
const identity: Say = (_failure, name) => ({ title: m.fail_identity({ name }), text: m.fail_identity_text({ name }) });
const unlogged: Say = () => ({ title: m.fail_log(), text: m.fail_log_text() });
const halfway: Say = () => ({ title: m.fail_interrupted(), text: m.fail_interrupted_text() });
const empty: Say = () => ({ title: m.fail_no_picture(), text: m.fail_no_picture_text() });
const noTouch: Say = () => ({ title: m.fail_touch(), text: m.fail_touch_text() });
const passkey: Say = () => ({ title: m.fail_passkey(), text: m.fail_passkey_text() });
const again: Say = () => ({ title: m.fail_upload(), text: m.fail_upload_text() });

const unproved: Say = () => ({ title: m.fail_proof(), text: m.fail_proof_text() });
const notForwarded: Say = () => ({ title: m.fail_not_forwarded(), text: m.fail_not_forwarded_text() });
const linkGone: Say = () => ({ title: m.fail_link(), text: m.fail_link_text() });

const WORDS: Readonly<Record<string, Say>> = {
  offline: () => ({ title: m.fail_offline(), text: m.fail_offline_text() }),
  "server-unreachable": silent,
  timeout: silent,
  busy: silent,
  internal: silent,
  locked: silent,
  "answer-malformed": unreadable,
  "answer-too-large": unreadable,
  redirected: unreadable,
  "upload-offset-impossible": unreadable,
  "needs-newer-version": outdated,
  "link-gone": linkGone,
  "call-over": () => ({ title: m.fail_call_over(), text: m.fail_call_over_text() }),
  "no-answer-yet": () => ({ title: m.fail_no_answer(), text: m.fail_no_answer_text() }),
  "may-not-answer": () => ({ title: m.fail_may_not_answer(), text: m.fail_may_not_answer_text() }),
  "proof-refused": unproved,
  "proof-too-slow": unproved,
  "page-closed": (_failure, name) => ({ title: m.call_closed({ name }), text: m.call_closed_text() }),
  "page-needs-link": (_failure, name) => ({
    title: m.call_needs_link({ name }),
    text: m.call_needs_link_text({ name }),
  }),
  "page-needs-account": (_failure, name) => ({
    title: m.call_needs_account({ name }),
    text: m.call_needs_account_text(),
  }),
  "no-such-page": (_failure, name) => ({ title: m.call_nobody({ name }), text: m.call_nobody_text() }),
  "page-damaged": () => ({ title: m.fail_page_damaged(), text: m.fail_page_damaged_text() }),
  "pages-unavailable": () => ({ title: m.fail_pages(), text: m.fail_pages_text() }),
  "operator-link-gone": () => ({ title: m.fail_operator_link(), text: m.fail_operator_link_text() }),
  "view-over": () => ({ title: m.fail_view(), text: m.fail_view_text() }),
  interrupted: halfway,
  "nothing-to-keep": empty,
  "no-picture": empty,
  "no-encoder": () => ({ title: m.record_unsupported(), text: m.record_unsupported_text() }),
  "not-a-video": () => ({ title: m.fail_not_turned(), text: m.fail_not_turned_text() }),
  "storage-unavailable": () => ({ title: m.fail_storage(), text: m.fail_storage_text() }),
  "not-on-this-device": () => ({ title: m.fail_evicted(), text: m.fail_evicted_text() }),
  "sealed-elsewhere": () => ({ title: m.fail_elsewhere(), text: m.fail_elsewhere_text() }),
  "server-too-new": outdated,
  "storage-full": full,
  "device-full": () => ({ title: m.fail_device_full(), text: m.fail_device_full_text() }),
  "storage-evicted": () => ({ title: m.fail_evicted(), text: m.fail_evicted_text() }),
  "rate-limited": (failure) => ({ title: m.fail_rate(), text: m.fail_rate_text({ count: minutes(failure) }) }),
  "too-many-uploads": () => ({ title: m.fail_uploads(), text: m.fail_uploads_text() }),
  "too-large": long,
  "upload-gone": again,
  "upload-claimed": again,
  "not-signed-in": () => ({ title: m.fail_signed_out(), text: m.fail_signed_out_text() }),
  "device-removed": () => ({ title: m.fail_removed(), text: m.fail_removed_text() }),
  "plan-limit": () => ({ title: m.fail_plan(), text: m.fail_plan_text() }),
  "not-in-plan": () => ({ title: m.fail_not_in_plan(), text: m.fail_not_in_plan_text() }),
  "payments-unavailable": () => ({ title: m.fail_payments(), text: m.fail_payments_text() }),
  "payments-silent": () => ({ title: m.fail_payments_silent(), text: m.fail_payments_silent_text() }),
  "paid-before": () => ({ title: m.fail_paid_before(), text: m.fail_paid_before_text() }),
  "already-subscribed": () => ({ title: m.fail_subscribed(), text: m.fail_subscribed_text() }),
  "passkey-needed": () => ({ title: m.fail_passkey_needed(), text: m.fail_passkey_needed_text() }),
  "nothing-to-ban": () => ({ title: m.fail_nothing_to_ban(), text: m.fail_nothing_to_ban_text() }),
  "account-banned": () => ({ title: m.fail_banned(), text: m.fail_banned_text() }),
  "message-quarantined": () => ({ title: m.fail_quarantined(), text: m.fail_quarantined_text() }),
  "pairing-expired": () => ({ title: m.fail_pairing(), text: m.fail_pairing_text() }),
  "pairing-refused": () => ({ title: m.fail_pairing_no(), text: m.fail_pairing_no_text() }),
  "sign-in-refused": () => ({ title: m.fail_refused(), text: m.fail_refused_text() }),
  "passkey-cancelled": noTouch,
  "passkey-failed": passkey,
  "passkey-refused": passkey,
  "passkey-known": () => ({ title: m.fail_already(), text: m.fail_already_text() }),
  "passkey-unverified": () => ({ title: m.fail_unverified(), text: m.fail_unverified_text() }),
  "passkey-unsupported": () => ({ title: m.fail_unverified(), text: m.fail_unverified_text() }),
  "passkeys-unavailable": () => ({ title: m.fail_passkey_here(), text: m.fail_passkey_here_text() }),
  "prf-output-posted": outdated,
  "verification-needed": () => ({ title: m.fail_verify(), text: m.fail_verify_text() }),
  "last-way-in": () => ({ title: m.fail_last_way(), text: m.fail_last_way_text() }),
  "not-available-yet": () => ({ title: m.fail_shut(), text: m.fail_shut_text() }),
  "ticket-needed": () => ({ title: m.fail_ticket(), text: m.fail_ticket_text() }),
  "ticket-refused": () => ({ title: m.fail_ticket_no(), text: m.fail_ticket_no_text() }),
  "ticket-used": () => ({ title: m.fail_ticket_used(), text: m.fail_ticket_used_text() }),
  "identity-linked": () => ({ title: m.fail_identity_linked(), text: m.fail_identity_linked_text() }),
  "identity-needed": () => ({ title: m.fail_identity_needed(), text: m.identity_stays() }),
  "wrong-domain": () => ({ title: m.fail_domain(), text: m.fail_domain_text() }),
  "provider-failed": () => ({ title: m.fail_provider(), text: m.fail_provider_text() }),
  "sign-up-closed": () => ({ title: m.fail_closed(), text: m.fail_closed_text() }),
  "name-taken": () => ({ title: m.fail_taken(), text: m.fail_taken_text() }),
  "invalid-name": () => ({ title: m.fail_name(), text: m.fail_name_text() }),
  "bad-name": () => ({ title: m.fail_name(), text: m.fail_name_text() }),
  "no-such-account": () => ({ title: m.fail_nobody(), text: m.fail_nobody_text() }),
  "no-such-recipient": () => ({ title: m.fail_nobody(), text: m.fail_nobody_text() }),
  "passphrase-too-short": () => ({ title: m.fail_short(), text: m.fail_short_text() }),
  "passphrase-too-simple": () => ({ title: m.fail_simple(), text: m.fail_simple_text() }),
  "recovery-code-malformed": () => ({ title: m.fail_code(), text: m.fail_code_text() }),
  "recovery-code-typo": () => ({ title: m.fail_typo(), text: m.fail_typo_text() }),
  "salt-malformed": () => ({ title: m.fail_salt(), text: m.fail_salt_text() }),
  "stale-record": clash,
  "stale-version": clash,
  "message-gone": gone,
  "not-found": gone,
  "envelope-no-match": () => ({ title: m.fail_cannot_open(), text: m.fail_cannot_open_text() }),
  "safety-number-changed": (_failure, name) => ({
    title: m.fail_new_key({ name }),
    text: m.fail_new_key_text(),
  }),
  "fingerprint-mismatch": () => ({ title: m.fail_fingerprint(), text: m.fail_fingerprint_text() }),
  "key-unpublished": () => ({ title: m.fail_key_unpublished(), text: m.fail_key_unpublished_text() }),
  "log-stranger": () => ({ title: m.fail_stranger(), text: m.fail_stranger_text() }),
  "log-unwitnessed": () => ({ title: m.fail_witness(), text: m.fail_witness_text() }),
  "keyring-conflict": () => ({ title: m.fail_conflict(), text: m.fail_conflict_text() }),
  "keyring-rolled-back": old,
  "shard-rolled-back": old,
  "forward-not-allowed": notForwarded,
  "may-not-forward": notForwarded,
  "watched-once": (_failure, name) => ({ title: m.fail_once(), text: m.fail_once_text({ name }) }),
  "kept-full": () => ({ title: m.fail_kept_full(), text: m.fail_kept_full_text() }),
  "report-unproven": () => ({ title: m.fail_report(), text: m.fail_report_text() }),
  "too-many-recipients": () => ({ title: m.fail_too_many(), text: m.fail_too_many_text() }),
  "group-full": () => ({ title: m.fail_group_full(), text: m.fail_group_full_text() }),
  "group-name-empty": () => ({ title: m.fail_group_empty(), text: m.fail_group_empty_text() }),
  "group-name-taken": () => ({ title: m.fail_group_taken(), text: m.fail_group_taken_text() }),
  "group-name-too-long": () => ({ title: m.fail_group_long(), text: m.fail_group_long_text() }),
  "from-the-future": () => ({ title: m.fail_future(), text: m.fail_future_text() }),
  "video-cut-off": cut,
  "cut-off": cut,
  "video-damaged": damaged,
  "video-part-swapped": damaged,
  "video-excess": damaged,
  damaged,
  "recording-too-long": long,
  "video-too-large": long,
  "screen-failed": () => ({ title: m.screen_failed(), text: m.screen_failed_text() }),
  "push-unavailable": () => ({ title: m.fail_push(), text: m.fail_push_text() }),
  "push-refused": () => ({ title: m.fail_push_no(), text: m.fail_push_no_text() }),
  "endpoint-refused": () => ({ title: m.fail_endpoint(), text: m.fail_endpoint_text() }),
  "mail-unavailable": () => ({ title: m.fail_mail(), text: m.fail_mail_text() }),
  "wrong-code": () => ({ title: m.fail_mail_code(), text: m.fail_mail_code_text() }),
  "bad-address": () => ({ title: m.fail_address(), text: m.fail_address_text() }),
  "quiet-empty": () => ({ title: m.fail_quiet(), text: m.fail_quiet_text() }),
  "account-deleted": () => ({ title: m.fail_deleted(), text: m.fail_deleted_text() }),
  "audit-rewritten": () => ({ title: m.fail_audit(), text: m.fail_audit_text() }),
  "camera-denied": () => ({ title: m.record_denied(), text: m.record_denied_text() }),
  "camera-busy": () => ({ title: m.fail_camera_busy(), text: m.fail_camera_busy_text() }),
  "camera-insecure": () => ({ title: m.fail_camera_insecure(), text: m.fail_camera_insecure_text() }),
  "no-camera": () => ({ title: m.record_none(), text: m.record_none_text() }),
};

/** Whole families of codes say the same to a person. */
const FAMILIES: readonly [RegExp, Say][] = [
  [/^(signature-|sender-not-signed|signer-unnamed|wrong-signer|signing-key-)/u, forged],
  [/^(wrong-recipient|wrong-box|message-id-reused|message-mislabelled)$/u, misdirected],
  [/^(record|succession)-/u, identity],
  [/^log-/u, unlogged],
  [/^(keyring|shard)-/u, locked],
  [/^(envelope|details|container|payload|receipt|forward)-/u, tampered],
];

/**
 * What to say about a failure: what happened, what is safe, what to do.
 * @param name whom the message is from, where there is one.
 */
export function failureWords(failure: Failure, name: string = m.somebody()): FailureWords {
  const say = WORDS[failure.code] ?? FAMILIES.find(([pattern]) => pattern.test(failure.code))?.[1];
  return say?.(failure, name) ?? { title: m.fail_other(), text: m.fail_other_text({ code: failure.code }) };
}

/** In one sentence, below a field. */
export function failureSentence(failure: Failure): string {
  const { title, text } = failureWords(failure);
  return `${title} ${text}`;
}
