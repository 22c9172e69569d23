import { expect, test } from "vitest";
import { Playback, RATES, nextRate } from "../../src/ui/playback.svelte";

test("speeds go up and down step by step and stop at the ends", () => {
  expect(RATES.map((rate) => nextRate(rate, 1))).toEqual([0.75, 1, 1.25, 1.5, 2, 2]);
  expect(RATES.map((rate) => nextRate(rate, -1))).toEqual([0.5, 0.5, 0.75, 1, 1.25, 1.5]);
});

/** A second of picture that the browser makes itself. */
async function film(): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 48];
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(20));
  const made = new Promise<Blob>((resolve) => {
    recorder.ondataavailable = (event) => resolve(event.data);
  });
  recorder.start();
  for (let turn = 0; turn < 12; turn += 1) {
    context?.fillRect(turn, 0, 9, 9);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  recorder.stop();
  return made;
}

test("it follows a real video, and lets it go", async () => {
  const address = URL.createObjectURL(await film());
  let open = 0;
  const playback = new Playback(60_000, 16 / 9, (video) => {
    video.src = address;
    open += 1;
    return () => {
      open -= 1;
    };
  });
  const video = document.body.appendChild(document.createElement("video"));
  video.muted = true;
  const leave = playback.attach(video);
  expect(open).toBe(1);
  expect([playback.started, playback.paused]).toEqual([false, true]);

  playback.toggle();
  await expect.poll(() => playback.positionMs).toBeGreaterThan(50);
  expect(playback.started).toBe(true);
  expect(playback.ratio).toBeCloseTo(4 / 3, 2);
  playback.faster();
  await expect.poll(() => playback.rate).toBe(1.25);
  playback.seek(-5);
  await expect.poll(() => video.currentTime).toBeLessThan(1);

  leave();
  expect(open).toBe(0);
  URL.revokeObjectURL(address);
  video.remove();
});
