import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseAst } from "vite";
import { expect, test } from "vitest";
import { runInProcess } from "../../plugins/aac-in-process";

const require = createRequire(import.meta.url);
const encoder = readFileSync(require.resolve("@mediabunny/aac-encoder").replace(/\.js$/, ".mjs"), "utf8");

test("the encoder no longer starts a worker from a blob", () => {
  const code = runInProcess(encoder);
  expect(encoder).toContain("return inlineWorker(`");
  expect(code).not.toContain("return inlineWorker(");
  expect(code).toContain("return aacInProcess();");
});

test("the rewritten module can be parsed, the worker's text included, and has what it exported", () => {
  const code = runInProcess(encoder);
  expect(() => parseAst(code)).not.toThrow();
  expect(code.match(/export \{[^}]*\}/)?.[0]).toContain("registerAacEncoder");
});

test.each([
  ["gone", "return somethingElse();"],
  ["without an end", "return inlineWorker(`text"],
  ["twice", "return inlineWorker(`a`);return inlineWorker(`b`);"],
])("a layout with the worker %s ends the build", (_, code) => {
  expect(() => runInProcess(code)).toThrow("not where it was");
});
