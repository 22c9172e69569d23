/** Which camera and microphone this browser was told to use. They belong to the device, so nothing of it leaves it. */

export interface ChosenDevices {
  camera?: string;
  microphone?: string;
}

const KEPT = "restante:devices";

/** What was chosen here last; nothing when it cannot be read. */
export function recalledDevices(): ChosenDevices {
  try {
    const told = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Record<string, unknown> | null;
    const { camera, microphone } = told ?? {};
    return {
      ...(typeof camera === "string" && { camera }),
      ...(typeof microphone === "string" && { microphone }),
    };
  } catch {
    return {};
  }
}

export function rememberDevices(chosen: ChosenDevices): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...recalledDevices(), ...chosen }));
  } catch {
    // Storage is blocked or full: it holds until the page is left.
  }
}
