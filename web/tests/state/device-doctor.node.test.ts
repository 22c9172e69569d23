import { createServer, request, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { trialNote, trialWords } from "../../src/screens/desk/words";
import { DeviceDoctor, TRIALS, type Surroundings, type Trial } from "../../src/state/device-doctor.svelte";
import { Api, type Fetch } from "../../src/transfer/http";
import { TusServer } from "../transfer/tus-server";

const NOW = 1_900_000_000_000;
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that says something at once, and then for long nothing. */
const live = (): Promise<string> =>
  listening((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": here\n\n");
  });

/** A proxy in front of it, which passes on what comes, or keeps it until the answer is whole. */
const proxy = (behind: string, holdsBack: boolean): Promise<string> =>
  listening((_, response) => {
    request(behind, (answer) => {
      const kept: Buffer[] = [];
      if (!holdsBack) response.writeHead(200);
      answer.on("data", (piece: Buffer) => (holdsBack ? kept.push(piece) : response.write(piece)));
      answer.on("end", () => response.end(Buffer.concat(kept)));
      answer.on("error", () => undefined);
    })
      .on("error", () => undefined)
      .end();
  });

interface Way {
  here?: Partial<Surroundings>;
  /** What the proxies make of an answer. */
  spoil?: (url: string, answer: Response) => Response | Promise<Response>;
  events?: string;
}

async function found({ here = {}, spoil = (_, answer) => answer, events }: Way): Promise<Record<Trial, string>> {
  const tus = new TusServer();
  const channel = events ?? (await live());
  const answer: Fetch = async (url, init) => {
    if (url.endsWith("/health")) return Response.json({ at: NOW, items: [] });
    if (url.endsWith("/events")) return await fetch(channel, init);
    const id = url.split("/").at(-2) ?? "";
    const [from = 0, to = 0] = (new Headers(init.headers).get("range") ?? "").match(/\d+/g)?.map(Number) ?? [];
    return new Response(tus.bytesOf(id).slice(from, to + 1), { status: 206 });
  };
  const passed =
    (inner: Fetch): Fetch =>
    async (url, init) =>
      await spoil(`${init.method} ${url}`, await inner(url, init));
  const doctor = new DeviceDoctor(new Api({ fetch: passed(answer) }), {
    ...{ isSecure: true, isHttps: true, hasCamera: true, hasPush: true, now: () => NOW, liveMs: 500 },
    fetch: passed(tus.fetch) as typeof fetch,
    ...here,
  });
  await doctor.run();
  return Object.fromEntries(TRIALS.map((trial) => [trial, doctor.outcomes[trial].state])) as Record<Trial, string>;
}

const WELL = Object.fromEntries(TRIALS.map((trial) => [trial, "good"]));

test("nothing is wrong where nothing is, also through a proxy that passes on what comes", async () => {
  expect(await found({})).toEqual(WELL);
  expect(await found({ events: await proxy(await live(), false) })).toEqual(WELL);
});

test("a proxy that buffers the live channel is named, and only that", async () => {
  expect(await found({ events: await proxy(await live(), true) })).toEqual({ ...WELL, live: "bad" });
});

const WRONG: [string, Trial, string, Way][] = [
  ["plain HTTP", "secure", "bad", { here: { isSecure: false, isHttps: false } }],
  ["plain HTTP on this machine", "secure", "poor", { here: { isHttps: false } }],
  ["no camera", "camera", "bad", { here: { hasCamera: false } }],
  ["no push", "push", "poor", { here: { hasPush: false } }],
  ["a clock that is off", "clock", "poor", { here: { now: () => NOW + 120_000 } }],
  ["a proxy without ranges", "range", "bad", { spoil: (url, answer) => whole(url, answer) }],
  ["a proxy that alters bytes", "range", "bad", { spoil: (url, answer) => altered(url, answer) }],
  ["a proxy without PATCH", "upload", "bad", { spoil: (url, answer) => refused(url, answer) }],
];
const isRange = (url: string): boolean => url.endsWith("/video");
const whole = (url: string, answer: Response): Response =>
  isRange(url) ? new Response(answer.body, { status: 200 }) : answer;
async function altered(url: string, answer: Response): Promise<Response> {
  if (!isRange(url)) return answer;
  const bytes = new Uint8Array(await answer.arrayBuffer());
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return new Response(bytes, { status: 206 });
}
const refused = (url: string, answer: Response): Response =>
  url.startsWith("PATCH") ? new Response("", { status: 405 }) : answer;

test.each(WRONG)("%s is named", async (_, trial, state, way) => {
  const outcomes = await found(way);
  expect(outcomes[trial]).toBe(state);
  const others = TRIALS.filter((each) => each !== trial && outcomes[each] !== "good");
  expect(others.filter((each) => !(trial === "upload" && each === "range"))).toEqual([]);
});

test("each trial has words and one cure", () => {
  for (const trial of TRIALS) {
    const { name, good, cure } = trialWords(trial);
    expect([name, good, cure].every((words) => words.length > 3)).toBe(true);
    expect(trialNote(trial, { state: "bad" })).toBe(cure);
    expect(trialNote(trial, { state: "good" })).toBe(good);
  }
});
