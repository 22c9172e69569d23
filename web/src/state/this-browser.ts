/** What this browser calls itself to its owner's other devices, and to the server: no more than its user agent tells anyway. */

import type { Api } from "../transfer/http";

const BROWSERS: readonly [RegExp, string][] = [
  [/Firefox\//, "Firefox"],
  [/Edg\//, "Edge"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Mac OS/, "macOS"],
  [/Windows/, "Windows"],
  [/Linux/, "Linux"],
];

/** Such as `Firefox, Linux`. */
export function thisBrowser(agent = navigator.userAgent): string {
  const named = (names: readonly [RegExp, string][]) => names.find(([pattern]) => pattern.test(agent))?.[1];
  return [named(BROWSERS) ?? "Browser", named(SYSTEMS)].filter(Boolean).join(", ");
}

/** Tells the server which device of the keyring this session is, so that both can be removed together. @throws Problem */
export async function introduce(api: Api, deviceId: string | null): Promise<void> {
  const path = { session_id: "current" };
  await api.put("/api/v1/sessions/{session_id}", { label: thisBrowser(), device: deviceId }, { path });
}
