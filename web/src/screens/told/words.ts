import { m } from "../../i18n/messages";

/** `22:00`, as a field for times takes it. */
export function timeOf(minutes: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Minutes of the day; null for what is no time. */
export function minutesOf(time: string): number | null {
  const [, hours, minutes] = /^(\d\d):(\d\d)/u.exec(time) ?? [];
  if (hours === undefined || minutes === undefined) return null;
  const total = Number(hours) * 60 + Number(minutes);
  return total < 24 * 60 ? total : null;
}

/** How often mail may come; another pace that was chosen elsewhere stands among them. */
export function paces(chosenS: number): { value: string; word: string }[] {
  const known = [
    { s: 900, word: m.told_pace_soon() },
    { s: 3600, word: m.told_pace_hour() },
    { s: 86_400, word: m.told_pace_day() },
    { s: 604_800, word: m.told_pace_week() },
  ];
  const other = { s: chosenS, word: m.told_pace_other({ count: Math.round(chosenS / 60) }) };
  const all = known.some(({ s }) => s === chosenS) ? known : [...known, other];
  return all.map(({ s, word }) => ({ value: String(s), word }));
}
