import { playwright } from "@vitest/browser-playwright";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, mergeConfig } from "vitest/config";
import app from "./vite.config.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));
const QUIET = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-default-apps",
  "--disable-features=OptimizationHints,MediaRouter,Translate",
  "--metrics-recording-only",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

const TESTS = readdirSync("tests", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => `tests/${name}`);
/** Those that put something in the place of a module or of a global have a process of their own; the rest share one. */
const ALONE = TESTS.filter((name) => /\bvi\.(?:mock|stubGlobal)\(/u.test(readFileSync(name, "utf8")));
/** What Chromium and Node do each in a way of their own: key agreement, signatures, streams, WebAssembly. All of it with EVERYWHERE=1. */
const IN_BOTH =
  process.env["EVERYWHERE"] === "1"
    ? ["tests/{protocol,crypto}/**/*.test.ts"]
    : ["tests/protocol/{vectors,values}.test.ts", "tests/crypto/{session,signing,video}.test.ts"];

/**
 * `*.test.ts` runs in Node, `*.browser.test.ts` in Chromium; of the protocol and its cryptography some run in both.
 */
export default mergeConfig(
  app,
  defineConfig({
    server: { fs: { allow: [repository] } },
    // Found only while a test runs, it would make the browser reload in the middle.
    optimizeDeps: { include: ["client-zip", "idb", "mediabunny"] },
    test: {
      passWithNoTests: true,
      // Long enough for a machine that has much else to do.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      projects: [
        {
          extends: true,
          test: {
            name: "node",
            environment: "node",
            isolate: false,
            include: ["tests/**/*.test.ts"],
            exclude: ["tests/**/*.browser.test.ts", ...ALONE],
          },
        },
        {
          extends: true,
          test: {
            name: "node-alone",
            environment: "node",
            include: ALONE,
            exclude: ["tests/**/*.browser.test.ts"],
          },
        },
        {
          extends: true,
          test: {
            name: "chromium",
            // Real time on a busy machine; what passed only the second time is told.
            retry: 1,
            include: [...IN_BOTH, "tests/**/*.browser.test.ts"],
            exclude: ["tests/**/*.node.test.ts"],
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              provider: playwright({ launchOptions: { executablePath: "/usr/bin/chromium", args: QUIET } }),
              instances: [{ browser: "chromium" }],
            },
          },
        },
      ],
    },
  }),
);
