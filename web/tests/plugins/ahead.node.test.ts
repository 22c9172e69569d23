import { expect, test } from "vitest";
import { pageAhead } from "../../plugins/shell";

const css = (...names: string[]) => ({ importedCss: new Set(names), importedAssets: new Set<string>() });
const bundle = {
  "assets/start.js": { type: "chunk", isEntry: true, viteMetadata: css() },
  "assets/Guest.js": {
    type: "chunk",
    facadeModuleId: "/x/src/routes/Guest.svelte",
    imports: ["assets/start.js", "assets/by-link.js"],
    viteMetadata: css(),
  },
  "assets/by-link.js": { type: "chunk" },
  "assets/Inbox.js": { type: "chunk", facadeModuleId: "/x/src/routes/Inbox.svelte" },
  "workers/take-abc.js": { type: "asset" },
};

test("the page of a screen names what the screen needs beyond the start", () => {
  const page = pageAhead("<head></head>", bundle, "src/routes/Guest.svelte");
  expect([...page.matchAll(/<link rel="(\w+)".* href="([^"]*)">/g)].map(([, rel, href]) => `${rel} ${href}`)).toEqual([
    "modulepreload /assets/Guest.js",
    "modulepreload /assets/by-link.js",
  ]);
});

test("a screen that is in no chunk of its own ends the build", () => {
  expect(() => pageAhead("<head></head>", bundle, "src/routes/Page.svelte")).toThrow("in no chunk");
});
