/** Hours of an answering page as a person sets them: some days of the week, from one time to another. */

import type { HoursView, ScheduleView } from "./props";

export interface Opening {
  days: readonly number[];
  /** `09:00` */
  from: string;
  until: string;
}

export const USUAL: Opening = { days: [0, 1, 2, 3, 4], from: "09:00", until: "18:00" };
const DAY_MINUTES = 24 * 60;

/** The same span on each of its days; null: it is made in another way, such as with a pause at noon. */
export function openingOf({ hours }: Pick<ScheduleView, "hours">): Opening | null {
  const [first] = hours;
  const isAlike = hours.every(({ start, end }) => start === first?.start && end === first.end);
  const days = [...new Set(hours.map(({ day }) => day))].sort();
  if (first === undefined || !isAlike || days.length !== hours.length) return null;
  return { days, from: timeOf(first.start), until: timeOf(first.end) };
}

/** Null: no day, or it ends before it begins. */
export function hoursOf({ days, from, until }: Opening): HoursView[] | null {
  const start = minutesOf(from);
  const end = minutesOf(until) || DAY_MINUTES; // midnight is the end of the day
  if (days.length === 0 || Number.isNaN(start) || Number.isNaN(minutesOf(until)) || start >= end) return null;
  return days.map((day) => ({ day, start, end }));
}

function timeOf(minutes: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
}

function minutesOf(time: string): number {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/u.exec(time) ?? [];
  return hours === undefined ? Number.NaN : Number(hours) * 60 + Number(minutes);
}

/** `Monday` in the language of the page. */
export function dayName(day: number, language: string): string {
  const monday = Date.UTC(2024, 0, 1);
  return new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" }).format(monday + day * 86_400_000);
}
