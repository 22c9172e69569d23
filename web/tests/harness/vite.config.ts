import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { aacInProcess } from "../../plugins/aac-in-process.ts";
import app from "../../vite.config.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const pages = readdirSync(here).filter((name) => name.endsWith(".html"));

/** Pages for tests in a real browser; workers are built as the app's are. `vite build -c tests/harness/vite.config.ts --outDir DIR`. */
export default defineConfig({
  root: here,
  publicDir: false,
  plugins: [aacInProcess()],
  build: {
    target: "es2022",
    minify: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: pages.map((name) => here + name) },
  },
  ...(app.worker ? { worker: app.worker } : {}),
});
