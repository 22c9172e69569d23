import { expect, test, vi } from "vitest";
import { capabilitiesOf, type Browser } from "../../src/state/capabilities";

vi.mock("../../src/media/screen", () => ({ canShareScreen: () => false }));

const yes = async (): Promise<boolean> => Promise.resolve(true);
const no = async (): Promise<boolean> => Promise.resolve(false);
const throws = async (): Promise<boolean> => Promise.reject(new TypeError("not implemented"));
const devices = (...kinds: MediaDeviceKind[]) => ({
  enumerateDevices: async () => Promise.resolve(kinds.map((kind) => ({ kind }) as MediaDeviceInfo)),
});
const all: Browser = {
  devices: devices("videoinput", "audioinput"),
  encodesPicture: yes,
  encodesAac: yes,
  hasRecorder: true,
  hasWasm: true,
  hasMediaSource: true,
  opensFiles: yes,
  isPersisted: yes,
  hasWakeLock: true,
  floats: true,
  sharesScreen: true,
  sharesFiles: true,
};
const nothing: Browser = {
  devices: undefined,
  encodesPicture: throws,
  encodesAac: throws,
  hasRecorder: false,
  hasWasm: false,
  hasMediaSource: false,
  opensFiles: throws,
  isPersisted: null,
  hasWakeLock: false,
  floats: false,
  sharesScreen: false,
  sharesFiles: false,
};

test("a browser that can everything says so, one that can nothing too, and no question throws", async () => {
  expect(new Set(Object.values(await capabilitiesOf(all)))).toEqual(new Set(["yes"]));
  const found = await capabilitiesOf(nothing);
  expect(Object.entries(found).filter(([, can]) => can !== "no")).toEqual([
    ["player", "helped"],
    ["share", "helped"],
  ]);
});

test("what there is a way round is told apart from what there is none for", async () => {
  const debian = { ...all, encodesAac: no, encodesPicture: no, isPersisted: no, devices: devices("audioinput") };
  expect(await capabilitiesOf(debian)).toMatchObject({
    camera: "helped",
    microphone: "yes",
    encoder: "helped",
    aac: "helped",
    persistence: "helped",
  });
});
