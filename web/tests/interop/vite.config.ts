import { defineConfig } from "vite";

/** Bundles peer.ts with all that it needs into one file for Node; where to, says --outDir. */
export default defineConfig({
  publicDir: false,
  build: {
    ssr: "tests/interop/peer.ts",
    target: "es2022",
    emptyOutDir: true,
    rolldownOptions: { output: { entryFileNames: "peer.mjs" } },
  },
  ssr: { noExternal: true },
  logLevel: "error",
});
