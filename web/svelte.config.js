import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // Builds elements one by one instead of from an HTML string, so no Trusted Types policy of Svelte's own is needed.
    fragments: "tree",
  },
};
