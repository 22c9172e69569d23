import { afterEach, expect, test, vi } from "vitest";
import { readPictures, type Reported } from "../../src/media/feeds.ts";

/** A frame that knows whether it was closed. */
function frame(timestamp: number) {
  return { timestamp, close: vi.fn() };
}

function opened() {
  const { port1, port2 } = new MessageChannel();
  const taken: [number, number][] = [];
  const said: (string | Reported)[] = [];
  port1.onmessage = (event) => said.push(event.data as Reported);
  const stop = readPictures(port2, ({ timestamp }, camera) => taken.push([timestamp, camera]));
  // As it arrives; what stands in for a frame or a track could not be posted.
  const give = (data: object) => port2.onmessage?.(new MessageEvent("message", { data }));
  return { port1, taken, said, stop, give };
}

const opens: { close(): void }[] = [];
afterEach(() => {
  vi.useRealTimers();
  Reflect.deleteProperty(globalThis, "MediaStreamTrackProcessor");
  for (const port of opens.splice(0)) port.close();
});

test("frames of an earlier camera than the last are late and closed", async () => {
  const { give, taken, said, stop, port1 } = opened();
  opens.push(port1);
  const late = frame(3);
  give({ camera: 1, frame: frame(1) });
  give({ camera: 2, frame: frame(2) });
  give({ camera: 1, frame: late });
  expect(taken).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(late.close).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(said).toEqual(["start", { camera: 1, is: "seen" }, { camera: 2, is: "seen" }]));
  stop();
});

test("a track is read where workers have a processor, and ends with its reader", async () => {
  const source: { controller: ReadableStreamDefaultController | null } = { controller: null };
  class Processor {
    readonly readable = new ReadableStream({ start: (controller) => void (source.controller = controller) });
  }
  Object.assign(globalThis, { MediaStreamTrackProcessor: Processor });
  const { give, taken, said, stop, port1 } = opened();
  opens.push(port1);
  const track = { stop: vi.fn() };
  give({ camera: 1, track });
  source.controller?.enqueue(frame(1));
  await vi.waitFor(() => expect(taken).toEqual([[1, 1]]));
  source.controller?.close();
  await vi.waitFor(() => expect(said).toContainEqual({ camera: 1, is: "ended" }));
  expect(track.stop).toHaveBeenCalled();
  stop();
});

test("a track that cannot be read here is given back to the page", async () => {
  const { give, said, stop, port1 } = opened();
  opens.push(port1);
  give({ camera: 1, track: { stop: vi.fn() } });
  await vi.waitFor(() => expect(said).toContainEqual({ camera: 1, is: "unreadable" }));
  stop();
});

test("a camera that gives nothing for a second and a half is frozen, and said to be so again", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const { give, said, stop, port1 } = opened();
  opens.push(port1);
  give({ camera: 1, frame: frame(1) });
  vi.advanceTimersByTime(4000);
  vi.useRealTimers();
  await vi.waitFor(() =>
    expect(said.filter((each) => typeof each !== "string" && each.is === "frozen")).toHaveLength(2),
  );
  stop();
});

test("a camera that takes its time at the beginning is not taken for frozen", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const { give, said, stop, port1 } = opened();
  opens.push(port1);
  const frozen = () => said.filter((each) => typeof each !== "string" && each.is === "frozen");
  vi.advanceTimersByTime(10_000); // no camera was announced
  give({ camera: 1, stream: new ReadableStream() });
  vi.advanceTimersByTime(3500);
  give({ camera: 1, frame: frame(1) });
  vi.advanceTimersByTime(1000);
  vi.useRealTimers();
  await vi.waitFor(() => expect(said).toContainEqual({ camera: 1, is: "seen" }));
  expect(frozen()).toHaveLength(0);
  stop();
});

test("a camera that never gives anything is found out", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const { give, said, stop, port1 } = opened();
  opens.push(port1);
  give({ camera: 1, stream: new ReadableStream() });
  vi.advanceTimersByTime(4500);
  vi.useRealTimers();
  await vi.waitFor(() => expect(said).toContainEqual({ camera: 1, is: "frozen" }));
  stop();
});

/** A stream as a camera's is, which its maker ends. */
function camera() {
  let controller: ReadableStreamDefaultController | null = null;
  const cancel = vi.fn();
  const stream = new ReadableStream({ start: (given) => void (controller = given), cancel });
  return { stream, cancel, send: (value: object) => controller?.enqueue(value), end: () => controller?.close() };
}

test("after the stop every frame is closed: posted, read, and of streams that come late", async () => {
  const { give, taken, said, stop, port1 } = opened();
  opens.push(port1);
  const [one, late] = [camera(), camera()];
  give({ camera: 1, stream: one.stream });
  const [read, underway, last, posted, tooLate] = [frame(1), frame(2), frame(3), frame(4), frame(5)];
  one.send(read);
  await vi.waitFor(() => expect(taken).toHaveLength(1));
  one.send(underway); // the read that waits has it already
  const stopped = stop();
  give({ camera: 1, frame: posted });
  give({ camera: 2, stream: late.stream });
  await vi.waitFor(() => expect(said).toContain("stop")); // whoever made the streams ends them
  one.send(last);
  late.send(tooLate);
  one.end();
  await stopped;
  late.end();
  for (const each of [underway, last, posted, tooLate])
    await vi.waitFor(() => expect(each.close).toHaveBeenCalledOnce());
  expect([one.cancel, late.cancel].map((cancel) => cancel.mock.calls.length)).toEqual([0, 0]);
  expect(taken).toEqual([[1, 1]]);
});

test("a stream that nobody ends is cancelled after all", async () => {
  const { give, stop, port1 } = opened();
  opens.push(port1);
  const { stream, cancel } = camera();
  give({ camera: 1, stream });
  const stopped = stop();
  expect(cancel).not.toHaveBeenCalled();
  await stopped;
  await vi.waitFor(() => expect(cancel).toHaveBeenCalled());
});

test("an earlier camera is read to its end, and its frames are closed", async () => {
  const { give, taken, said, stop, port1 } = opened();
  opens.push(port1);
  const [one, two] = [camera(), camera()];
  const late = frame(3);
  give({ camera: 1, stream: one.stream });
  one.send(frame(1));
  await vi.waitFor(() => expect(taken).toHaveLength(1));
  give({ camera: 2, stream: two.stream });
  two.send(frame(2));
  await vi.waitFor(() => expect(taken).toHaveLength(2));
  one.send(late);
  await vi.waitFor(() => expect(late.close).toHaveBeenCalledOnce());
  one.end();
  two.end();
  await stop();
  expect(one.cancel).not.toHaveBeenCalled();
  expect(said).not.toContainEqual({ camera: 1, is: "ended" });
});

test("a frame that cannot be taken is closed, and its stream is let go", async () => {
  let isCancelled = false;
  const broken = frame(1);
  const stream = new ReadableStream({
    start: (controller) => controller.enqueue(broken),
    cancel: () => void (isCancelled = true),
  });
  const stop = readPictures(stream as ReadableStream<VideoFrame>, () => {
    throw new Error("no memory");
  });
  await vi.waitFor(() => expect(isCancelled).toBe(true));
  expect(broken.close).toHaveBeenCalled();
  stop();
});
