import { expect, test } from "vitest";
import { reach } from "../../plugins/chunks";
import { pageAhead } from "../../plugins/shell";

const graph: Record<string, string[]> = {
  "/src/main.ts": ["/src/App.svelte", "/src/i18n/messages/_index.js"],
  "/src/App.svelte": ["/src/state/session.ts", "/src/main.ts"],
  "/src/state/session.ts": [],
  "/src/i18n/messages/_index.js": ["/src/i18n/messages/hello.js"],
};

test("what a beginning reaches is all that it imports, in circles too, and none of the words", () => {
  const modules = { getModuleInfo: (id: string) => ({ importedIds: graph[id] ?? [] }) };
  expect([...reach(modules, "/src/main.ts")].sort()).toEqual([
    "/src/App.svelte",
    "/src/main.ts",
    "/src/state/session.ts",
  ]);
});

const css = (...names: string[]) => ({ importedCss: new Set(names), importedAssets: new Set<string>() });
const bundle = {
  "assets/start.js": { type: "chunk", isEntry: true, viteMetadata: css("assets/start.css") },
  "assets/Guest.js": {
    type: "chunk",
    facadeModuleId: "/x/src/routes/Guest.svelte",
    imports: ["assets/start.js", "assets/by-link.js"],
    viteMetadata: css("assets/Guest.css"),
  },
  "assets/by-link.js": { type: "chunk" },
  "assets/Inbox.js": { type: "chunk", facadeModuleId: "/x/src/routes/Inbox.svelte" },
  "workers/crypto-abc.js": { type: "asset" },
  "workers/take-abc.js": { type: "asset" },
};

test("the page of a screen names what the screen needs beyond the start, and its worker", () => {
  const page = pageAhead("<head></head>", bundle, "src/routes/Guest.svelte");
  expect([...page.matchAll(/<link rel="(\w+)".* href="([^"]*)">/g)].map(([, rel, href]) => `${rel} ${href}`)).toEqual([
    "modulepreload /assets/Guest.js",
    "stylesheet /assets/Guest.css",
    "modulepreload /assets/by-link.js",
    "modulepreload /workers/crypto-abc.js",
  ]);
});

test("a screen that is in no chunk of its own ends the build", () => {
  expect(() => pageAhead("<head></head>", bundle, "src/routes/Page.svelte")).toThrow("in no chunk");
});
