/** The rest of a long list comes by itself as its end draws near, a few times only. */

import { mount, unmount } from "svelte";
import { expect, test } from "vitest";
import More from "../../src/screens/frame/More.svelte";

const frame = (): Promise<number> => new Promise(requestAnimationFrame);

async function settled(count: () => number): Promise<number> {
  let last = -1;
  for (let quiet = 0; quiet < 10; quiet = count() === last ? quiet + 1 : 0, await frame()) last = count();
  return last;
}

test("it comes by itself where its end is near, five times, and then when it is asked for", async () => {
  const [target, spacer] = [document.createElement("div"), document.createElement("div")];
  document.body.append(spacer, target);
  spacer.style.height = `${innerHeight * 3}px`;
  let more = 0;
  const list = mount(More, { target, props: { onmore: () => (more += 1) } });
  expect(await settled(() => more)).toBe(0);
  scrollTo(0, document.documentElement.scrollHeight);
  expect(await settled(() => more)).toBe(5);
  target.querySelector("button")?.click();
  expect(more).toBe(6);
  await unmount(list);
  target.remove();
  spacer.remove();
});
