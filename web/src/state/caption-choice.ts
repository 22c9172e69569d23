/** Whether captions are shown, as chosen last in this browser. Nothing secret. */

const KEPT = "restante:captions";

export function captionsOn(): boolean {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

export function chooseCaptions(on: boolean): void {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // Storage is blocked or full: it holds until the page is left.
  }
}
