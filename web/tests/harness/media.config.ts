import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { aacInProcess } from "../../plugins/aac-in-process.ts";
import app from "../../vite.config.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The page that tests media in a real browser; its workers are built as the app's are. */
export default defineConfig({
  root: here,
  publicDir: false,
  plugins: [aacInProcess()],
  build: {
    target: "es2022",
    minify: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: `${here}media.html` },
  },
  ...(app.worker ? { worker: app.worker } : {}),
});
