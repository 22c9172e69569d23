/** Phones and tablets cannot open two cameras together: the second mutes or ends the first. */
export function isOneAtATime(): boolean {
  const { userAgentData, userAgent, maxTouchPoints } = navigator as Navigator & { userAgentData?: { mobile: boolean } };
  // An iPad calls itself a Mac, but no Mac is touched.
  return (
    userAgentData?.mobile === true ||
    /Android|iPhone|iPad/.test(userAgent) ||
    (/Macintosh/.test(userAgent) && maxTouchPoints > 1)
  );
}
