import { runInNewContext } from "node:vm";
import type { Plugin } from "vite";

const MODULE = /\/mediabunny-aac-encoder\.mjs(?:\?.*)?$/;
const BEFORE = "return inlineWorker(`";
const AFTER = "\n`);"; // backticks inside the text are escaped, but followed by the same signs

/** Stands in for the nested worker: the same messages over a channel inside this thread. */
const IN_PROCESS = `
function aacInProcess() {
  const channel = new MessageChannel();
  const inside = {
    addEventListener: (type, listener) => { channel.port2.addEventListener(type, listener); channel.port2.start(); },
    postMessage: (data, transfer) => channel.port2.postMessage(data, transfer),
  };
  aacWorker(inside, () => 0);
  channel.port1.start();
  return {
    addEventListener: (type, listener) => channel.port1.addEventListener(type, listener),
    postMessage: (data, transfer) => channel.port1.postMessage(data, transfer),
    terminate: () => { channel.port1.close(); channel.port2.close(); },
  };
}
`;

/**
 * Rewrites the AAC encoder so that it runs in the thread that asks for it. The package starts a worker from a blob:,
 * which a strict policy refuses without an exception: the encoder would wait for ever.
 *
 * @throws when the package's layout has changed, which ends the build
 */
export function runInProcess(code: string): string {
  const start = code.indexOf(BEFORE);
  const end = code.indexOf(AFTER, start);
  if (start < 0 || end < 0 || code.includes(BEFORE, start + 1)) {
    throw new Error("the AAC encoder's worker is not where it was: look at the new version of @mediabunny/aac-encoder");
  }
  const text = String(runInNewContext(`\`${code.slice(start + BEFORE.length, end)}\``));
  // The second parameter hides the real setInterval: a keep-alive that only a worker of its own needs.
  const worker = `\nfunction aacWorker(self, setInterval) {\n${text}\n}\n`;
  return code.slice(0, start) + "return aacInProcess();" + code.slice(end + AFTER.length) + worker + IN_PROCESS;
}

export function aacInProcess(): Plugin {
  return {
    name: "restante:aac-in-process",
    enforce: "pre",
    transform(code, id) {
      return MODULE.test(id) ? { code: runInProcess(code), map: null } : null;
    },
  };
}
