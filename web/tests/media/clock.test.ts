import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AUDIO_GRAPH, DeviceClock, PictureTrack, SoundTrack, TakeClock } from "../../src/media/clock";

describe("a take's clock", () => {
  test("stands still while paused, and says of no paused moment when it was", () => {
    const clock = new TakeClock();
    clock.start(1000);
    clock.pause(2000);
    expect(clock.elapsed(9000)).toBe(1000);
    expect(clock.mediaAt(5000)).toBeNull();
    clock.resume(9000);
    expect(clock.mediaAt(5000)).toBeNull();
    expect(clock.mediaAt(1500)).toBe(500);
    expect(clock.mediaAt(9500)).toBe(1500);
    expect(clock.elapsed(9500)).toBe(1500);
  });

  test("is zero before it starts and starts once", () => {
    const clock = new TakeClock();
    expect(clock.mediaAt(5)).toBeNull();
    expect(clock.elapsed(5)).toBe(0);
    clock.start(10);
    clock.start(20);
    expect(clock.mediaAt(5)).toBe(-5);
    expect(clock.elapsed(25)).toBe(15);
  });
});

describe("a device's clock", () => {
  test("takes the soonest arrival for one without delay", () => {
    const device = new DeviceClock();
    device.toClock(0, 130);
    device.toClock(20, 125);
    expect(device.toClock(40, 190)).toBe(145);
  });

  test("is anchored anew after the device stood still", () => {
    const device = new DeviceClock();
    for (let at = 0; at < 1000; at += 20) device.toClock(at, at + 5);
    let mapped = 0;
    for (let at = 1000; at < 4000; at += 20) mapped = device.toClock(at, at + 2005);
    expect(mapped).toBe(3980 + 2005);
  });

  test("sound of a graph that loses time bit by bit stays where it belongs", () => {
    // Each second the graph stands still for 30 ms; the browser keeps 80 ms of what it missed, the rest is gone.
    const device = new DeviceClock(AUDIO_GRAPH);
    const track = new SoundTrack(48_000);
    let lost = 0;
    for (let at = 0; at < 60_000; at += 20) {
      if (at % 1000 === 0 && at > 0) lost += 30;
      const heardAt = at + lost - Math.min(lost, 80);
      const mapped = device.toClock(at, at + lost + 5) - 5;
      const { end, from } = track.place(mapped, 960, Infinity);
      if (at < 2000 || end === from) continue;
      const placedAt = track.endMs - 20;
      expect(Math.abs(placedAt - heardAt)).toBeLessThanOrEqual(100);
    }
    expect(lost).toBe(1770);
  });

  test("a stall of one second in our own thread moves nothing", () => {
    const device = new DeviceClock();
    for (let at = 0; at < 1000; at += 20) device.toClock(at, at + 5);
    for (let at = 1000; at < 2000; at += 20) device.toClock(at, 2005);
    expect(device.toClock(3000, 3005)).toBe(3005);
  });
});

test("pictures are strictly in order, and none starts at the end or later", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -100, max: 1200, noNaN: true })), (times) => {
      const track = new PictureTrack(20);
      const shown: number[] = [];
      for (const time of times) {
        if (!track.accepts(time, 1000)) continue;
        shown.push(time);
        track.lastMs = time;
      }
      expect(shown.every((time, index) => time >= 0 && time < 1000 && time - (shown[index - 1] ?? -20) >= 20)).toBe(
        true,
      );
    }),
  );
});

describe("a track of sound", () => {
  const block = fc.record({ lateMs: fc.integer({ min: -30, max: 30 }), isLost: fc.boolean() });

  test("has no gap and keeps step, whatever blocks are lost or late", () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 200 }), (blocks) => {
        const track = new SoundTrack(48_000);
        blocks.forEach(({ lateMs, isLost }, index) => {
          if (isLost) return;
          const at = index * 20 + lateMs;
          const before = track.written;
          const { silence, from, end } = track.place(at, 960, 60_000);
          expect(track.written).toBe(before + silence + end - from);
          expect(Math.abs(track.endMs - (at + 20))).toBeLessThanOrEqual(61);
        });
      }),
    );
  });

  test("never passes the end", () => {
    const track = new SoundTrack(48_000);
    for (let at = 0; at < 200; at += 20) track.place(at, 960, 110);
    expect(track.endMs).toBe(110);
    track.place(500, 960, 110);
    expect(track.endMs).toBe(110);
  });

  test("a block that comes after its silence was written is left out", () => {
    const track = new SoundTrack(48_000);
    track.place(0, 960, 9000);
    expect(track.fillTo(500)).toBe(48 * 480);
    expect(track.place(20, 960, 9000)).toEqual({ silence: 0, from: 960, end: 960 });
    expect(track.place(500, 960, 9000)).toEqual({ silence: 0, from: 0, end: 960 });
  });

  test("begins within a block that straddles the take's start", () => {
    const track = new SoundTrack(48_000);
    expect(track.place(-10, 960, 9000)).toEqual({ silence: 0, from: 480, end: 960 });
  });
});
