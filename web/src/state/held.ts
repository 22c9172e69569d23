/** Why an upload waits. */

export type Held = "offline" | "server-full" | "signed-out" | "plan" | null;

/** What a person is told of why it waits. */
export function heldBy(trouble: string | null): Held {
  if (trouble === null || trouble === "rate-limited" || trouble === "too-many-uploads") return null;
  if (trouble === "storage-full") return "server-full";
  if (trouble === "plan-limit") return "plan";
  return trouble === "not-signed-in" ? "signed-out" : "offline";
}
