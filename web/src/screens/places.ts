/** The addresses of the app's screens. */
export const PLACES = {
  welcome: "/",
  signUp: "/sign-up",
  signIn: "/sign-in",
  inbox: "/inbox",
  sent: "/sent",
  people: "/people",
  settings: "/settings",
  newCode: "/settings/recovery-code",
  identity: "/settings/identity",
  record: "/record",
  drafts: "/drafts",
  browser: "/browser",
  rescue: "/rescue",
  pair: "/pair",
  operatorLink: "/operator/link",
  left: "/left-here",
  known: "/known",
  archive: "/archive",
  told: "/told",
  page: "/page",
  mine: "/mine",
  deletions: "/deletions",
  operator: "/operator",
  doctor: "/operator/doctor",
  entrance: "/operator/entrance",
  deskPeople: "/operator/people",
  deskPlans: "/operator/plans",
  deskWork: "/operator/work",
  deskRecord: "/operator/record",
  plan: "/plan",
} as const;

/** Where somebody records, looks at a take, or watches: not to be led away from. */
export const isBusyPlace = (path: string): boolean =>
  /^\/(?:(?:record|review|reply|page|watch|m)(?:\/|$)|@)/.test(path);

export const watchPath = (messageId: string): string => `/watch/${encodeURIComponent(messageId)}`;
/** Answers somebody without an account, who left this message and may be answered. */
export const replyPath = (messageId: string): string => `/reply/${encodeURIComponent(messageId)}`;
/** Links to a video that was sent, for people without an account. */
export const linkPath = (messageId: string): string => `/link/${encodeURIComponent(messageId)}`;
export const personPath = (account: string): string => `${PLACES.people}/${encodeURIComponent(account)}`;
export const reviewPath = (draftId: string): string => `/review/${encodeURIComponent(draftId)}`;
/** All that went between this account and one other; `answers` is the message that is to be answered. */
export function withPath(account: string, answers: string | null = null): string {
  const query = answers === null ? "" : `?${new URLSearchParams({ answers })}`;
  return `/with/${encodeURIComponent(account)}${query}`;
}
/** One named list of people. */
export const groupPath = (groupId: string): string => `/group/${encodeURIComponent(groupId)}`;
/** Records for somebody, or for a group by its id; `answers` is the message that the video answers. */
export function recordPath(account: string, answers: string | null = null): string {
  return `${PLACES.record}?${new URLSearchParams({ to: account, ...(answers !== null && { answers }) })}`;
}
/** Records anew: the take that there is stays until the new one is kept. */
export function recordInsteadPath(draftId: string, account: string | null, answers: string | null): string {
  const query = new URLSearchParams({
    instead: draftId,
    ...(account !== null && { to: account }),
    ...(answers !== null && { answers }),
  });
  return `${PLACES.record}?${query}`;
}

/** A click on a link inside the app; one for another tab or window stays the browser's. */
export function following(go: (path: string) => void, path: string): (event: MouseEvent) => void {
  return (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(path);
  };
}
