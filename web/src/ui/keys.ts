/** What a key does: `" "`, `"k"`, `"ArrowLeft"`, `"Control+Enter"`, or two in a row as `"g i"`. */
export type KeyMap = Readonly<Record<string, () => void>>;

const SEQUENCE_MS = 1000;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button"].includes(target.type);
}

/** Space and Enter on a button, link or box belong to it. */
function belongsToTarget(event: KeyboardEvent): boolean {
  return (
    (event.key === " " || event.key === "Enter") &&
    event.target instanceof Element &&
    event.target.closest("button, a, summary, input, label") !== null
  );
}

/**
 * Makes a `keydown` handler for a screen. Nothing happens while a field has the focus or a dialog is open.
 * @param letters whether keys of one sign count; the person can switch them off.
 */
export function keyHandler(map: KeyMap, letters: boolean): (event: KeyboardEvent) => void {
  let first = "";
  let firstAt = -Infinity;
  return (event) => {
    if (event.defaultPrevented || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const name = event.ctrlKey ? `Control+${event.key}` : event.key;
    if (!event.ctrlKey && (isTyping(event.target) || belongsToTarget(event))) return;
    if (!letters && event.key.length === 1 && event.key !== " ") return;
    const follows = event.timeStamp - firstAt < SEQUENCE_MS ? map[`${first} ${name}`] : undefined;
    [first, firstAt] = [name, event.timeStamp];
    const act = follows ?? map[name];
    if (!act) return;
    event.preventDefault();
    act();
  };
}
