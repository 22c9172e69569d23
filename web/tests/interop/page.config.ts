import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

/** Builds page.html and the crypto worker as the app's build does; where to, says --outDir. */
export default defineConfig({
  root,
  publicDir: false,
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: `${root}page.html` },
  },
  worker: { format: "es", rolldownOptions: { output: { entryFileNames: "workers/crypto-[hash].js" } } },
  logLevel: "error",
});
