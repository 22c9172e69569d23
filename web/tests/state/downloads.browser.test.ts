import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { giveFile } from "../../src/state/downloads";

const film = new Blob(["film"], { type: "video/mp4" });
let downloads: string[] = [];
let shared: File[] = [];

/** A device that can share, or refuses for a reason. */
function device(agent: string, refusal?: string): void {
  vi.spyOn(navigator, "userAgent", "get").mockReturnValue(agent);
  vi.spyOn(navigator, "maxTouchPoints", "get").mockReturnValue(agent === "Macintosh" ? 0 : 5);
  Object.assign(navigator, {
    canShare: () => true,
    share: async ({ files = [] }: ShareData) => {
      if (refusal) throw new DOMException("", refusal);
      shared.push(...files);
    },
  });
}

beforeEach(() => {
  [downloads, shared] = [[], []];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    downloads.push(this.download);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const name of ["canShare", "share"]) Reflect.deleteProperty(navigator, name);
});

test("a computer and an Android phone put it into the downloads", () => {
  for (const agent of ["Macintosh", "Linux; Android 16"]) {
    device(agent);
    giveFile(film, "Ann.mp4");
  }
  expect([downloads, shared]).toEqual([["Ann.mp4", "Ann.mp4"], []]);
});

test("an iPhone shows its sheet, with the file under its name", async () => {
  device("iPhone");
  giveFile(film, "Ann.mp4");
  await vi.waitFor(() => expect(shared[0]?.name).toBe("Ann.mp4"));
  expect([shared[0]?.type, downloads]).toEqual(["video/mp4", []]);
});

test("a sheet that is refused becomes a download; one that was closed does not", async () => {
  device("iPhone", "NotAllowedError");
  giveFile(film, "Ann.mp4");
  await vi.waitFor(() => expect(downloads).toEqual(["Ann.mp4"]));
  device("iPhone", "AbortError");
  giveFile(film, "Joseph.mp4");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(downloads).toEqual(["Ann.mp4"]);
});
