import { m } from "../i18n/messages";
import { getLocale } from "../i18n/runtime";

const DAY_MS = 86_400_000;

/** The reader's own variety of the language (dates and clocks differ), or the plainest one. */
function variety(): string {
  const locale = getLocale();
  const own = globalThis.navigator?.languages?.find((tag) => tag.startsWith(`${locale}-`));
  return own ?? (locale === "en" ? "en-GB" : locale);
}

/** To make a formatter costs far more than to use it, and a list uses thousands. */
const formatters = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>();

function kept<F extends Intl.DateTimeFormat | Intl.NumberFormat>(name: string, make: (tag: string) => F): F {
  const tag = variety();
  const key = `${tag} ${name}`;
  const formatter = (formatters.get(key) as F | undefined) ?? make(tag);
  formatters.set(key, formatter);
  return formatter;
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const zone = new Date().getTimezoneOffset(); // the device may travel while the page is open
  return kept(`date ${zone} ${JSON.stringify(options)}`, (tag) => new Intl.DateTimeFormat(tag, options));
}

function numbers(options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  return kept(`number ${JSON.stringify(options)}`, (tag) => new Intl.NumberFormat(tag, options));
}

/** `1:42`. Whole seconds that have passed. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Seconds still left, never more than there are. */
export const left = (ms: number): string => clock(Math.ceil(Math.max(0, ms) / 1000) * 1000);

/** What is read aloud instead of `1:42`. */
export function spokenLength(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const unit = (name: string, value: number): string =>
    numbers({ style: "unit", unit: name, unitDisplay: "long" }).format(value);
  const parts = seconds >= 60 ? [unit("minute", Math.floor(seconds / 60))] : [];
  if (seconds % 60 > 0 || seconds < 60) parts.push(unit("second", seconds % 60));
  return parts.join(" ");
}

/** `$4.99`, as the reader's language writes it. @param price a decimal number @param currency of ISO 4217 */
export function money(price: string, currency: string): string {
  const style = { style: "currency", currency: currency.toUpperCase() } as const;
  return numbers(style).format(Number(price));
}

/** `05:30`, or `5:30 AM` where one says so. */
export const hour = (at: number): string => dates({ timeStyle: "short" }).format(at);

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** `today`, `yesterday`, a weekday in the last week, then the date. */
export function day(at: number, now: number): string {
  const days = Math.round((midnight(now) - midnight(at)) / DAY_MS);
  if (days === 0) return m.day_today(); // the language's own formatter of these takes a phone a tenth of a second to make
  if (days === 1) return m.day_yesterday();
  if (days > 1 && days < 7) return dates({ weekday: "long" }).format(at);
  const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? {} : ({ year: "numeric" } as const);
  return dates({ day: "numeric", month: "short", ...year }).format(at);
}

/** `07:40` of today, else with its day. */
export const lately = (at: number, now: number): string =>
  midnight(at) === midnight(now) ? hour(at) : moment(at, now);

/** At the beginning of a line. */
export function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(getLocale()) + text.slice(1);
}

/** `today 07:40`, inside a sentence. */
export const when = (at: number, now: number): string => `${day(at, now)} ${hour(at)}`;

/** `Today 07:40`. */
export const moment = (at: number, now: number): string => capital(when(at, now));

/** `22 Nov`, for a postmark. */
export const postmarkDay = (at: number): string =>
  dates({ day: "numeric", month: "short" }).format(at).replace(".", "");

/** Megabytes, as people count them; one digit below ten. */
export function size(bytes: number): string {
  const [unit, value] = bytes < 1e9 ? (["megabyte", bytes / 1e6] as const) : (["gigabyte", bytes / 1e9] as const);
  const digits = value < 10 ? 1 : 0;
  return numbers({ style: "unit", unit, maximumFractionDigits: digits }).format(value);
}

/** Never rounds 99 up. */
export const percent = (value: number): string =>
  numbers({ style: "percent", maximumFractionDigits: 0 }).format(Math.floor(value) / 100);

/** A number with the separators of the language. */
export const counted = (value: number): string => numbers().format(value);

export const rate = (value: number): string => `${numbers().format(value)}×`;

/** `Ann and Joseph`; nobody is a word of its own. */
export function names(people: readonly { name: string }[]): string {
  if (people.length === 0) return m.people_nobody();
  return new Intl.ListFormat(variety(), { type: "conjunction" }).format(people.map((person) => person.name));
}
