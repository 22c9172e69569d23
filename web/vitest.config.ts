import { playwright } from "@vitest/browser-playwright";
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

/**
 * `*.test.ts` runs in Node and in Chromium, `*.node.test.ts` in Node only, `*.browser.test.ts` in Chromium only.
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
            include: ["tests/**/*.test.ts"],
            exclude: ["tests/**/*.browser.test.ts"],
          },
        },
        {
          extends: true,
          test: {
            name: "chromium",
            // Real time on a busy machine; what passed only the second time is told.
            retry: 1,
            include: ["tests/{protocol,crypto}/**/*.test.ts", "tests/**/*.browser.test.ts"],
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
