/** The pages of the operator's desk, in the order of their links. */

import { m } from "../../i18n/messages";
import { PLACES } from "../places";

export const PAGES = {
  desk: { path: PLACES.operator, name: () => m.desk_title() },
  entrance: { path: PLACES.entrance, name: () => m.entrance_title() },
  plans: { path: PLACES.deskPlans, name: () => m.desk_plans() },
  people: { path: PLACES.deskPeople, name: () => m.desk_people() },
  work: { path: PLACES.deskWork, name: () => m.desk_work() },
  record: { path: PLACES.deskRecord, name: () => m.desk_acts() },
  doctor: { path: PLACES.doctor, name: () => m.try_title() },
} as const;

export type DeskPlace = keyof typeof PAGES;
