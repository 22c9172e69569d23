import { m } from "../../i18n/messages";
import { lately, moment } from "../format";
import type { DeliveryView } from "../views";

interface Step {
  word: string;
  at: string;
  state: "done" | "now" | "later";
}

/** When all have it, or how many of several; "not yet" is a word too. */
function progress(times: readonly (number | null)[], now: number): { at: string; done: boolean } {
  const known = times.filter((at) => at !== null);
  if (known.length === 0) return { at: m.path_not_yet(), done: false };
  if (known.length < times.length) return { at: m.path_some({ count: known.length, all: times.length }), done: false };
  return { at: lately(Math.max(...known), now), done: true };
}

/** Kept, stored, delivered, played: the first that is not done yet is the one of now. */
export function pathSteps(
  deliveries: readonly DeliveryView[],
  { keptAt, storedAt, stored, now }: { keptAt: number | null; storedAt: number; stored: string; now: number },
): Step[] {
  const played = progress(
    deliveries.map((delivery) => delivery.playedAt),
    now,
  );
  const delivered = progress(
    deliveries.map((delivery) => delivery.deliveredAt ?? delivery.playedAt),
    now,
  );
  const steps = [
    ...(keptAt === null ? [] : [{ word: m.path_kept(), at: lately(keptAt, now), done: true }]),
    { word: m.path_stored({ size: stored }), at: lately(storedAt, now), done: true },
    { word: m.path_delivered(), ...delivered },
    { word: m.path_played(), ...played },
  ];
  const first = steps.findIndex((step) => !step.done);
  return steps.map(({ word, at, done }, index) => ({
    word,
    at,
    state: done ? "done" : index === first ? "now" : "later",
  }));
}

/** How far it came with all of them, in one line. */
export function sentWords(deliveries: readonly DeliveryView[], storedAt: number, now: number): string {
  const [only] = deliveries;
  if (only && deliveries.length === 1) return deliveryWords(only, now);
  const played = deliveries.filter((delivery) => delivery.playedAt !== null).length;
  const delivered = deliveries.filter((delivery) => delivery.deliveredAt !== null || delivery.playedAt !== null).length;
  const [word, count] = played > 0 ? [m.path_played(), played] : [m.path_delivered(), delivered];
  return count > 0
    ? `${word} ${m.path_some({ count, all: deliveries.length })}. ${moment(storedAt, now)}`
    : m.delivery_stored();
}

/** How far it came with one of them, in a word. */
export function deliveryWords(delivery: DeliveryView, now: number): string {
  if (delivery.playedAt !== null)
    return signedWords(m.delivery_played({ at: moment(delivery.playedAt, now) }), delivery, "played");
  if (delivery.deliveredAt !== null)
    return signedWords(m.delivery_delivered({ at: moment(delivery.deliveredAt, now) }), delivery, "delivered");
  return delivery.confirmed === "wrong" ? m.delivery_wrong() : m.delivery_stored();
}

/** With what the recipient signed of it, or that what was shown as that is wrong. */
export function signedWords(
  words: string,
  { confirmed }: Pick<DeliveryView, "confirmed">,
  said: "delivered" | "played",
): string {
  if (confirmed === "wrong") return `${words} ${m.delivery_wrong()}`;
  return confirmed === "played" || confirmed === said ? `${words} ${m.delivery_signed()}` : words;
}
