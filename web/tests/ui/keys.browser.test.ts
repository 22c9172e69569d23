import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keyHandler } from "../../src/ui/keys";

const did = vi.fn<(what: string) => void>();
let handler: (event: KeyboardEvent) => void;

function listen(letters: boolean): void {
  const on = (what: string) => () => did(what);
  handler = keyHandler(
    {
      " ": on("space"),
      n: on("new"),
      "g i": on("inbox"),
      i: on("start"),
      "Control+Enter": on("send"),
      Escape: on("back"),
    },
    letters,
  );
  window.addEventListener("keydown", handler);
}
function press(key: string, target: EventTarget = document.body, more: KeyboardEventInit = {}): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
}
function put<K extends keyof HTMLElementTagNameMap>(name: K): HTMLElementTagNameMap[K] {
  return document.body.appendChild(document.createElement(name));
}

beforeEach(() => {
  did.mockReset();
});
afterEach(() => {
  window.removeEventListener("keydown", handler);
  document.body.replaceChildren();
});

test("a key does what the map says, and no other key does anything", () => {
  listen(true);
  for (const key of ["n", "x", "Escape", " "]) press(key);
  expect(did.mock.calls.flat()).toEqual(["new", "back", "space"]);
});

test("two keys in a row go before the second one alone", () => {
  listen(true);
  for (const key of ["g", "i", "i"]) press(key);
  expect(did.mock.calls.flat()).toEqual(["inbox", "start"]);
});

test("letters that are switched off leave space and escape alone", () => {
  listen(false);
  for (const key of ["n", "g", "i", " ", "Escape"]) press(key);
  expect(did.mock.calls.flat()).toEqual(["space", "back"]);
});

test("nothing is taken from somebody who types, but sending is", () => {
  listen(true);
  const field = put("textarea");
  for (const key of ["n", " ", "Escape"]) press(key, field);
  press("Enter", field, { ctrlKey: true });
  expect(did.mock.calls.flat()).toEqual(["send"]);
});

test("space on a button belongs to the button", () => {
  listen(true);
  press(" ", put("button"));
  expect(did).not.toHaveBeenCalled();
});

test("an open dialog keeps all keys", () => {
  listen(true);
  put("dialog").showModal();
  press("n");
  expect(did).not.toHaveBeenCalled();
});
