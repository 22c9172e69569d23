import { svelte } from "@sveltejs/vite-plugin-svelte";
import { paraglideVitePlugin } from "@inlang/paraglide-js";
import { basename, dirname } from "node:path";
import { defineConfig } from "vite";
import { aacInProcess } from "./plugins/aac-in-process.ts";
import { Packages } from "./plugins/licences.ts";
import { partFile, parts } from "./plugins/parts.ts";
import { shell } from "./plugins/shell.ts";

/** Known folders and names, so that the server can give each worker file a policy of its own: take/worker.ts → workers/take-HASH.js. */
function workerFile(chunk: { facadeModuleId: string | null }): string {
  const file = chunk.facadeModuleId?.split("?")[0] ?? "";
  const room = basename(dirname(file));
  const name = basename(file).replace(/\.\w+$/, "");
  return `workers/${name === "worker" ? room : `${room}-${name.replace(/^worker-/, "")}`}-[hash].js`;
}

const packages = new Packages();

const words = paraglideVitePlugin({
  project: "./project.inlang",
  outdir: "./src/i18n",
  strategy: ["localStorage", "preferredLanguage", "baseLocale"],
});

export default defineConfig({
  plugins: [
    aacInProcess(),
    svelte(),
    // Its watcher would keep a test run from ending; `tools/check-web` compiles the words beforehand.
    process.env["VITEST"] ? null : words,
    packages.plugin(),
    shell("src/sw.ts", packages),
  ],
  build: {
    outDir: "../src/restante/server/webapp",
    emptyOutDir: true,
    manifest: true,
    cssCodeSplit: false,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: parts, chunkFileNames: partFile } },
  },
  worker: {
    format: "es",
    plugins: () => [aacInProcess(), packages.plugin()],
    rolldownOptions: { output: { entryFileNames: workerFile, chunkFileNames: "workers/chunk-[hash].js" } },
  },
  // Rewritten by a plugin, which the pre-bundling of the development server would pass by.
  optimizeDeps: { exclude: ["@mediabunny/aac-encoder"] },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
