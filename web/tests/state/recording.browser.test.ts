import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CaptureNews, Device } from "../../src/media/capture";
import { hostOf } from "../../src/state/booth-host";
import type { House } from "../../src/state/house.svelte";
import { RecordingState } from "../../src/state/recording.svelte";
import { FileRefused } from "../../src/media/file-refused";
import type { TakeState } from "../../src/take/take";

const FRONT: Device = { id: "front", label: "Front", facing: "front" };
const REAR: Device = { id: "rear", label: "Rear", facing: "rear" };
const MIC: Device = { id: "mic", label: "Headset", facing: null };

/** A capture and takes that do what a test says. */
const world = vi.hoisted(() => ({
  refusal: null as string | null,
  wishes: [] as { camera?: string }[],
  captures: [] as FakeCapture[],
  takes: [] as FakeTake[],
  file: null as (() => Promise<string>) | null,
  room: Infinity,
  persisted: 0,
}));

interface FakeCapture {
  onNews: ((news: CaptureNews) => void) | null;
  onLevel: ((level: { rms: number; peak: number }) => void) | null;
  camera: Device | null;
  isClosed: boolean;
}
interface FakeTake {
  id: string;
  orders: string[];
  tell(change: Partial<TakeState>): void;
}

vi.mock("../../src/media/capture", async () => {
  const { CaptureRefused } = await import("../../src/media/refusal");
  return {
    CaptureRefused,
    openCapture: async (wish: { camera?: string }) => {
      world.wishes.push(wish);
      await Promise.resolve();
      if (world.refusal !== null) throw new CaptureRefused(world.refusal as "busy");
      const capture = {
        onNews: null,
        onLevel: null,
        stream: new MediaStream(),
        cameras: [FRONT, REAR],
        microphones: [MIC],
        camera: wish.camera === "rear" ? REAR : FRONT,
        microphone: MIC,
        hasMicrophone: true,
        isClosed: false,
        renew: () => undefined,
        async useCamera(id: string) {
          if (id === "gone") throw new CaptureRefused("busy");
          this.camera = REAR;
          (this.onNews as FakeCapture["onNews"])?.({ kind: "camera-switched", to: REAR, why: "chosen" });
          return Promise.resolve();
        },
        close() {
          this.isClosed = true;
        },
      };
      world.captures.push(capture as unknown as FakeCapture);
      return capture;
    },
  };
});
vi.mock("../../src/media/screen", () => ({
  canShareScreen: () => false,
  openScreen: () => null,
  ScreenRefused: Error,
}));
vi.mock("../../src/state/recording-beep", () => ({ beep: async () => Promise.resolve() }));
vi.mock("../../src/take/importing", async () => ({
  FileRefused: (await import("../../src/media/file-refused")).FileRefused,
  importFile: async (_: File, { signal }: { signal: AbortSignal }) =>
    Promise.race([
      world.file?.() ?? "msg_file",
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    ]),
}));
vi.mock("../../src/storage/db", () => ({
  roomBytes: async () => Promise.resolve(world.room),
  askToPersist: async () => Promise.resolve((world.persisted += 1)),
}));
vi.mock("../../src/take/take", () => ({
  prepareTake: () => () => undefined,
  Take: {
    start: (_: unknown, { onChange }: { onChange: (state: TakeState) => void }) => {
      const take = {
        id: `msg_${world.takes.length + 1}`,
        orders: [] as string[],
        state: {
          phase: "starting",
          isPaused: false,
          mediaMs: 0,
          keptMs: 0,
          storedMs: 0,
          trouble: null,
          end: null,
        } as TakeState,
        tell(change: Partial<TakeState>) {
          take.state = { ...take.state, ...change };
          onChange(take.state);
        },
        pause: () => (take.orders.push("pause"), take.tell({ isPaused: true })),
        resume: () => (take.orders.push("resume"), take.tell({ isPaused: false })),
        stop: async () => {
          take.orders.push("stop");
          take.tell({ phase: "ending" });
          take.tell({ phase: "kept" });
          return Promise.resolve();
        },
      };
      world.takes.push(take);
      return take;
    },
  },
}));
vi.mock("../../src/state/drafts.svelte", () => ({ DraftsState: class {} }));
vi.mock("../../src/state/held", () => ({ heldBy: (trouble: string | null) => trouble }));

let deleted: string[];
let kept: string[];
let choices: { countdown: boolean; beep: boolean };
let recording: RecordingState;
let isOffline: boolean;

const turn = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
async function booth({ instead = null }: { instead?: string | null } = {}): Promise<RecordingState> {
  const drafts = {
    adopt: () => undefined,
    refresh: async () => Promise.resolve(),
    delete: (id: string) => deleted.push(id),
  };
  const live = {
    get isOffline() {
      return isOffline;
    },
  };
  const house = { account: { acct: "ann@here", name: "ann" }, settings: { choices }, live, part: () => drafts };
  recording = new RecordingState(hostOf(house as unknown as House, null), { instead, onKept: (id) => kept.push(id) });
  await turn();
  return recording;
}
async function running(): Promise<FakeTake> {
  await recording.start();
  const take = world.takes.at(-1);
  if (!take) throw new TypeError("no take");
  take.tell({ phase: "recording", keptMs: 1000, mediaMs: 1000 });
  return take;
}

beforeEach(() => {
  localStorage.clear();
  [deleted, kept, choices, isOffline] = [[], [], { countdown: false, beep: false }, false];
  Object.assign(world, {
    refusal: null,
    wishes: [],
    captures: [],
    takes: [],
    file: null,
    room: Infinity,
    persisted: 0,
  });
});
afterEach(() => recording.close());

test.each(["denied", "none", "busy", "insecure"])(
  "a camera that is %s is told by that name, and asked for again",
  async (code) => {
    world.refusal = code;
    await booth();
    expect(recording.booth).toEqual({ kind: code });
    world.refusal = null;
    await recording.open();
    expect(recording.booth).toEqual({ kind: "ready" });
  },
);

test("the chosen camera is used again next time, on this device", async () => {
  await booth();
  await recording.devices.useCamera("rear");
  expect(recording.devices.camera).toBe(REAR);
  expect(recording.devices.news).toMatchObject({
    what: "camera-switched",
    name: "Rear",
    before: "Front",
    why: "chosen",
  });
  recording.close();
  await booth();
  expect(world.wishes.at(-1)).toMatchObject({ camera: "rear" });
});

test("a camera that does not open leaves the one before, and says so", async () => {
  await booth();
  await recording.devices.useCamera("gone");
  expect(recording.devices.news).toMatchObject({ what: "camera-refused", before: "Front" });
  expect(recording.devices.camera).toBe(FRONT);
});

test("the countdown can be switched off", async () => {
  await booth();
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  try {
    choices.countdown = true;
    void recording.start();
    expect(recording.booth).toEqual({ kind: "counting", seconds: 3 });
    recording.cancel();
    await vi.advanceTimersByTimeAsync(5000);
    expect([recording.booth.kind, world.takes.length]).toEqual(["ready", 0]);
    choices.countdown = false;
    await recording.start();
    expect(recording.booth.kind).toBe("recording");
  } finally {
    vi.useRealTimers();
  }
});

test("a pause is the person's, a call's or the hidden page's, and goes on only by the person", async () => {
  await booth();
  const take = await running();
  recording.pause();
  expect(recording.booth).toMatchObject({ paused: "person" });
  recording.pause("call");
  expect([take.orders, recording.booth]).toMatchObject([["pause"], { paused: "person" }]);
  recording.resume();
  expect(recording.booth).toMatchObject({ paused: null });
  world.captures[0]?.onNews?.({ kind: "interrupted", why: "call" });
  expect(recording.booth).toMatchObject({ paused: "call" });
  world.captures[0]?.onNews?.({ kind: "interruption-over" });
  expect(recording.booth).toMatchObject({ paused: "call" });
  recording.resume();
  expect(take.orders).toEqual(["pause", "resume", "pause", "resume"]);
});

test("a take goes on without a camera; a booth without one is closed until it comes back", async () => {
  await booth();
  const take = await running();
  const [capture] = world.captures;
  if (!capture) throw new TypeError("no capture");
  capture.camera = null;
  capture.onNews?.({ kind: "camera-lost" });
  expect([recording.booth.kind, recording.devices.news?.what]).toEqual(["recording", "camera-lost"]);
  recording.stop();
  expect([kept, take.orders]).toEqual([["msg_1"], ["stop"]]);
  recording.booth = { kind: "ready" };
  capture.onNews?.({ kind: "camera-lost" });
  expect(recording.booth).toEqual({ kind: "none" });
  capture.camera = FRONT;
  capture.onNews?.({ kind: "camera-back", to: FRONT });
  expect(recording.booth).toEqual({ kind: "ready" });
});

test("a take that is recorded anew stays until the new one is kept", async () => {
  await booth({ instead: "msg_old" });
  expect(recording.instead).toEqual(["msg_old"]);
  await running();
  expect(deleted).toEqual([]);
  recording.pause();
  await recording.again();
  expect([recording.booth.kind, recording.instead, kept, deleted]).toEqual(["ready", ["msg_old", "msg_1"], [], []]);
  recording.back();
  expect(kept).toEqual(["msg_1"]);
  await running();
  recording.stop();
  expect([kept.at(-1), deleted]).toEqual(["msg_2", ["msg_old", "msg_1"]]);
});

test("a booth that is left keeps the take that lies aside", async () => {
  await booth({ instead: "msg_old" });
  recording.close();
  expect([deleted, world.captures[0]?.isClosed]).toEqual([[], true]);
});

test("the browser is asked to keep what lies here when the first take is kept, not before", async () => {
  await booth();
  await running();
  expect(world.persisted).toBe(0);
  recording.stop();
  expect(world.persisted).toBe(1);
});

test.each([
  ["device-full", "device-full"],
  ["full", "encoder"],
  ["encoder", "encoder"],
  ["limit", "limit"],
] as const)("a take that ended by itself (%s) is kept and says why", async (end, why) => {
  await booth({ instead: "msg_old" });
  const take = await running();
  take.tell({ phase: "ending", end });
  take.tell({ phase: "kept", end, keptMs: 9000, storedMs: 4000 });
  expect(recording.booth).toEqual({ kind: "stopped", why, keptMs: 9000, storedMs: 4000 });
  expect([kept, deleted]).toEqual([[], ["msg_old"]]);
});

test("the screen stays lit while it records, also after the page was away, and no longer", async () => {
  const asked: string[] = [];
  let released = 0;
  const wakeLock = {
    request: async (kind: string) => {
      asked.push(kind);
      return Promise.resolve({ release: async () => Promise.resolve((released += 1)) });
    },
  };
  Object.defineProperty(navigator, "wakeLock", { value: wakeLock, configurable: true });
  try {
    await booth();
    expect(asked).toEqual([]);
    const take = await running();
    expect(asked).toEqual(["screen"]);
    document.dispatchEvent(new Event("visibilitychange")); // seen again: the browser had let go of it
    expect(asked).toEqual(["screen", "screen"]);
    take.tell({ phase: "kept" });
    await turn();
    expect(released).toBe(1);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(asked).toHaveLength(2);
  } finally {
    Reflect.deleteProperty(navigator, "wakeLock");
  }
});

test("a worker that failed leaves what was kept until then", async () => {
  await booth({ instead: "msg_old" });
  const take = await running();
  take.tell({ phase: "failed", code: "interrupted", keptMs: 5000 });
  expect(recording.booth).toMatchObject({ kind: "stopped", why: "encoder", keptMs: 5000 });
  expect(deleted).toEqual([]);
});

test("what is most pressing is said", async () => {
  await booth();
  const take = await running();
  const notice = (change: Partial<TakeState>) => (
    take.tell(change),
    "notice" in recording.booth && recording.booth.notice
  );
  world.captures[0]?.onLevel?.({ rms: 0.1, peak: 0.3 });
  expect(notice({ isBehind: true })).toBe("smaller");
  isOffline = true;
  expect(notice({})).toBe("offline");
  expect(notice({ trouble: "server-full" })).toBe("server-full");
  recording.roomS = 40;
  expect(notice({})).toBe("device-nearly-full");
  expect(notice({ mediaMs: 150_000 })).toBe("server-full");
});

test("little room is told before the recording", async () => {
  world.room = 240_000 * 30;
  await booth();
  expect(recording.roomS).toBe(30);
});

test("a microphone that gives nothing is told after some seconds, and no more when it does", async () => {
  await booth();
  const now = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 6000);
  world.captures[0]?.onLevel?.({ rms: 0, peak: 0 });
  expect(recording.isUnheard).toBe(true);
  world.captures[0]?.onLevel?.({ rms: 0.1, peak: 0.4 });
  expect(recording.isUnheard).toBe(false);
  now.mockRestore();
});

test("a file becomes a take, is refused by name and taken another way, or cancelled", async () => {
  await booth();
  const film = new File(["x"], "film.mov");
  world.file = async () => Promise.reject(new FileRefused("file-too-long", { ms: 400_000 }));
  await recording.takeFile(film);
  expect(recording.booth).toEqual({ kind: "file-refused", code: "file-too-long", facts: { ms: 400_000 } });
  expect(world.captures[0]?.isClosed).toBe(true);
  world.file = async () => Promise.resolve("msg_film");
  await recording.takeFileAs({ firstMs: 180_000 });
  expect(kept).toEqual(["msg_film"]);
  await recording.open();
  world.file = async () => new Promise(() => undefined);
  const taking = recording.takeFile(film);
  expect(recording.booth).toEqual({ kind: "importing", name: "film.mov", done: 0 });
  recording.cancelFile();
  await taking;
  expect(recording.booth).toEqual({ kind: "ready" });
});
