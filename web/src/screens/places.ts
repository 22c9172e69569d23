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
  record: "/record",
  drafts: "/drafts",
  browser: "/browser",
  rescue: "/rescue",
  pair: "/pair",
  left: "/left-here",
  known: "/known",
} as const;

export const watchPath = (messageId: string): string => `/watch/${encodeURIComponent(messageId)}`;
export const personPath = (account: string): string => `${PLACES.people}/${encodeURIComponent(account)}`;
export const reviewPath = (draftId: string): string => `/review/${encodeURIComponent(draftId)}`;
export const recordPath = (account: string): string => `${PLACES.record}?to=${encodeURIComponent(account)}`;
/** Records anew: the take that there is stays until the new one is kept. */
export function recordInsteadPath(draftId: string, account: string | null): string {
  const query = new URLSearchParams({ instead: draftId, ...(account !== null && { to: account }) });
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
