import { beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/storage/db";
import { Drafts, emptyContent, type DraftContent } from "../../src/storage/drafts";
import { setCaptions } from "../../src/take/editing";
import { messageOf } from "../../src/take/outgoing";

const VIDEO = { size: 100, sha256: ["x"], type: "video/mp4", ms: 10_000, w: 640, h: 480 };
const TIMED = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello\n";
const REQUEST = { idempotencyKey: "k", upload: "u", message: "", details: "", envelopes: {}, sent: "" };

let drafts: Drafts;
let id: string;

async function draftWith(content: Partial<DraftContent>): Promise<void> {
  drafts = new Drafts(await openDatabase());
  id = `msg_${crypto.randomUUID()}`;
  const fresh = { id, acct: "ann@here", createdMs: 1, messageKey: "AGE-SECRET-KEY-1X" };
  await drafts.make(fresh, { ...emptyContent(fresh.messageKey), video: VIDEO, ...content });
}

beforeEach(async () => draftWith({ request: REQUEST }));

describe("captions of a draft", () => {
  it("are kept as WebVTT, and what was sealed without them is sealed again", async () => {
    await setCaptions(id, "1\n00:00:01,000 --> 00:00:02,000\n<b>Hello</b>\n");
    expect((await drafts.get(id)).content).toMatchObject({ captions: TIMED, request: null });
    await setCaptions(id, null);
    expect((await drafts.get(id)).content.captions).toBeNull();
  });

  it("without times are spread over its video", async () => {
    await setCaptions(id, "One\nTwo");
    expect((await drafts.get(id)).content.captions).toContain("00:00:05.000 --> 00:00:10.000\nTwo");
  });

  it("that cannot be read change nothing", async () => {
    await expect(setCaptions(id, "WEBVTT\n\n00:02.000 --> 00:01.000\nx")).rejects.toMatchObject({ line: 3 });
    await expect(setCaptions(id, "WEBVTT\n\n00:11.000 --> 00:12.000\nx")).rejects.toMatchObject({
      code: "captions-late",
    });
    expect((await drafts.get(id)).content).toMatchObject({ captions: null, request: REQUEST });
  });

  it("stay as they are once it is being sent", async () => {
    await draftWith({ wish: { to: ["bob@here"], caption: null } });
    await expect(setCaptions(id, TIMED)).rejects.toMatchObject({ code: "busy" });
  });

  it("travel in the details", async () => {
    await setCaptions(id, TIMED);
    const draft = await drafts.get(id);
    const wish = { to: ["bob@here"], caption: null };
    expect(messageOf({ draft, upload: "upl_1", wish }, { createdMs: 2 }).details).toMatchObject({ captions: TIMED });
  });

  it("are absent from a draft that an older version stored", async () => {
    const { captions, ...older } = emptyContent("AGE-SECRET-KEY-1X");
    expect(captions).toBeNull();
    await drafts.make({ id: `${id}o`, acct: "ann@here", createdMs: 1, messageKey: "k" }, older as DraftContent);
    expect((await drafts.get(`${id}o`)).content.captions).toBeNull();
  });
});
