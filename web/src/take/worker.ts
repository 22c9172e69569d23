/** The recorder worker: one job in its life. Under its own policy it may connect to our server and compile the AAC encoder, no more. */

import { chooseSoundCodec } from "../media/codecs";
import { openDatabase } from "../storage/db";
import { Drafts, type Draft } from "../storage/drafts";
import { holding } from "../storage/ownership";
import { openSpool } from "../storage/spool";
import { Bringing } from "./bringing";
import { makeWhole } from "./crash";
import { carryOut } from "./maker";
import type { News, Order } from "./orders";
import { codeOf, Recording } from "./recording";

/** How long a tab that was just closed, or a worker that just ended, may take to let a draft go. */
const LEAVING_MS = 2000;

/** A take that is about to begin, too: what is asked of it meanwhile waits. */
let recording: Promise<Recording> | null = null;
const cancelling = new AbortController();

function tell(news: News): void {
  postMessage(news);
}

async function obey(order: Order): Promise<void> {
  if (order.type === "prepare") return void (await chooseSoundCodec());
  if (order.type === "record") return record(order);
  if (order.type === "carry") return holding(order.id, () => carry(order.id), LEAVING_MS);
  if (order.type === "recover") return holding(order.id, () => recover(order.id), LEAVING_MS);
  if (order.type === "import" || order.type === "trim" || order.type === "poster") {
    return carryOut(order, tell, cancelling.signal);
  }
  if (order.type === "cancel") return cancelling.abort();
  // A take that could not begin has told so itself.
  const take = await recording?.catch(() => null);
  if (!take) return undefined;
  if (order.type === "pause") return take.pause();
  if (order.type === "resume") return take.resume();
  if (order.type === "stop") return take.stop();
  if (order.type === "note") return take.note(order.kind, order.why);
  await take.discard();
  return tell({ type: "discarded" });
}

async function record(order: Extract<Order, { type: "record" }>): Promise<void> {
  void chooseSoundCodec(); // takes a moment, in which draft and spool are made
  await new Promise<void>((resolve, reject) => {
    recording = new Promise((begun, never) => {
      const work = holding(order.id, async () => {
        const take = await Recording.begin(order, tell);
        begun(take);
        await take.brought;
        tell({ type: "brought" });
      });
      work.catch(never);
      work.then(resolve, reject);
    });
    recording.catch(() => undefined);
  });
}

async function carry(id: string): Promise<void> {
  await bring(await new Drafts(await openDatabase()).get(id));
}

async function recover(id: string): Promise<void> {
  const drafts = new Drafts(await openDatabase());
  const whole = await makeWhole(drafts, id);
  if (whole === null) return tell({ type: "failed", code: "nothing-to-keep" });
  tell({ type: "recovered", id: whole.id, ms: whole.content.video?.ms ?? 0 });
}

async function bring(draft: Draft): Promise<void> {
  const { video, upload, isStored } = draft.content;
  if (video === null) return tell({ type: "failed", code: "interrupted" });
  if (!isStored) {
    const news = {
      onStored: (bytes: number) =>
        tell({ type: "stored", ms: (video.ms * bytes) / video.size, bytes, total: video.size }),
      onTrouble: (code: string | null) => tell({ type: "trouble", code }),
    };
    const source = await openSpool(draft.id);
    const drafts = new Drafts(await openDatabase());
    const bringing = new Bringing({ id: draft.id, drafts, source, news, upload, call: draft.content.call?.token });
    bringing.finish(video.size);
    await bringing.done;
  }
  tell({ type: "brought" });
}

globalThis.onmessage = (event: MessageEvent<Order>) => {
  obey(event.data).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") return;
    tell({ type: "failed", code: codeOf(error) });
  });
};
