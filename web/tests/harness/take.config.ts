import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { aacInProcess } from "../../plugins/aac-in-process.ts";
import app from "../../vite.config.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The page of the take tests, built like the app, to be served by the real server in the app's place. */
export default defineConfig({
  root: here,
  publicDir: false,
  plugins: [aacInProcess()],
  build: {
    target: "es2022",
    minify: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: `${here}take.html` },
  },
  ...(app.worker ? { worker: app.worker } : {}),
});
