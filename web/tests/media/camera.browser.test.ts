import { afterEach, expect, test } from "vitest";
import { CameraFeed } from "../../src/media/camera.ts";
import type { Pictured, Reported } from "../../src/media/feeds.ts";

let feed: CameraFeed;
const tracks: MediaStreamTrack[] = [];
afterEach(() => {
  feed.close();
  for (const track of tracks.splice(0)) track.stop();
});

async function camera(): Promise<MediaStreamTrack> {
  const [track] = (await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } })).getVideoTracks();
  if (!track) throw new TypeError("no camera");
  tracks.push(track);
  return track;
}

/** The end that a worker reads. */
function reader() {
  const given: ReadableStreamDefaultReader<VideoFrame>[] = [];
  const port = feed.feed as MessagePort;
  port.onmessage = ({ data }: MessageEvent<Pictured>) => {
    if ("stream" in data) given.push(data.stream.getReader());
  };
  const say = (said: "start" | "stop" | Reported): void => port.postMessage(said);
  const stream = async (number: number): Promise<ReadableStreamDefaultReader<VideoFrame>> => {
    await expect.poll(() => given.length).toBeGreaterThan(number);
    return given[number]!;
  };
  return { say, stream };
}

async function frame(stream: ReadableStreamDefaultReader<VideoFrame>): Promise<void> {
  const { value, done } = await stream.read();
  expect(done).toBe(false);
  value?.close();
}

/** Reads what is still on its way; settles only when the stream ends. */
async function ended(stream: ReadableStreamDefaultReader<VideoFrame>): Promise<void> {
  for (let next = await stream.read(); !next.done; next = await stream.read()) next.value.close();
}

test("when the reader stops, the stream ends by itself and the camera stays open", async () => {
  feed = new CameraFeed();
  const track = await camera();
  feed.show(track);
  const { say, stream } = reader();
  say("start");
  const first = await stream(0);
  await frame(first);
  say("stop");
  await ended(first);
  expect(track.readyState).toBe("live");
});

test("the camera before goes on until the next is seen", async () => {
  feed = new CameraFeed();
  const [one, two] = [await camera(), await camera()];
  feed.show(one);
  const { say, stream } = reader();
  say("start");
  const first = await stream(0);
  await frame(first);
  feed.show(two);
  const second = await stream(1);
  await frame(first);
  await frame(second);
  say({ camera: 2, is: "seen" });
  await ended(first);
  await frame(second);
});

test("a camera that is let go can be closed: nothing of it stays open", async () => {
  feed = new CameraFeed();
  const track = await camera();
  feed.show(track);
  const { say, stream } = reader();
  say("start");
  const first = await stream(0);
  await frame(first);
  track.stop();
  feed.release();
  await ended(first);
});
