import { afterEach, beforeEach, expect, test } from "vitest";
import { newId } from "../../src/protocol/ids";
import { openSpool, readSides, removeSpool, spoolIds } from "../../src/storage/spool";
import type { SpoolAnswer, SpoolOrder } from "./spool-worker";

let worker: Worker;
let id: string;

function ask(order: SpoolOrder): Promise<SpoolAnswer> {
  return new Promise((resolve) => {
    worker.onmessage = (event: MessageEvent<SpoolAnswer>) => resolve(event.data);
    worker.postMessage(order);
  });
}

beforeEach(async () => {
  worker = new Worker(new URL("./spool-worker.ts", import.meta.url), { type: "module" });
  id = newId("msg");
  await ask({ do: "make", id });
});

afterEach(async () => {
  worker.terminate();
  await expect
    .poll(() =>
      removeSpool(id).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
});

test("what was appended is there after the worker died without a word", async () => {
  await ask({ do: "append", data: new Uint8Array([1, 2, 3]) });
  expect(await ask({ do: "append", data: new Uint8Array([4, 5]) })).toMatchObject({ size: 5 });
  worker.terminate();
  const spool = await openSpool(id);
  expect(spool.size).toBe(5);
  expect(await spool.read(1, 3)).toEqual(new Uint8Array([2, 3, 4]));
});

test("its writer reads what it has appended, and never beyond", async () => {
  await ask({ do: "append", data: new Uint8Array([1, 2, 3, 4]) });
  expect((await ask({ do: "read", offset: 2, length: 100 })).data).toEqual(new Uint8Array([3, 4]));
  expect((await ask({ do: "read", offset: 9, length: 1 })).data).toEqual(new Uint8Array(0));
});

test("side records alternate, so that the one before stays whole", async () => {
  for (const byte of [1, 2, 3]) await ask({ do: "side", data: new Uint8Array(byte).fill(byte) });
  const sides = await readSides(id);
  expect(sides.map((side) => side[0]).sort()).toEqual([2, 3]);
});

test("that ended well keeps the video alone", async () => {
  await ask({ do: "append", data: new Uint8Array([1]) });
  await ask({ do: "side", data: new Uint8Array([9]) });
  await ask({ do: "settle" });
  expect(await readSides(id)).toEqual([]);
  expect(await ask({ do: "append", data: new Uint8Array([2]) })).toMatchObject({ size: 2 });
});

test("a second writer is told that it is busy", async () => {
  const other = new Worker(new URL("./spool-worker.ts", import.meta.url), { type: "module" });
  const answer = new Promise<SpoolAnswer>((resolve) => {
    other.onmessage = (event: MessageEvent<SpoolAnswer>) => resolve(event.data);
  });
  other.postMessage({ do: "make", id } satisfies SpoolOrder);
  expect((await answer).code).toBe("busy");
  other.terminate();
});

test("that was evicted is not on this device, and removing it again is fine", async () => {
  worker.terminate();
  await expect
    .poll(() =>
      removeSpool(id).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  await expect(openSpool(id)).rejects.toMatchObject({ code: "not-on-this-device" });
  await removeSpool(id);
  expect(await spoolIds()).not.toContain(id);
});
