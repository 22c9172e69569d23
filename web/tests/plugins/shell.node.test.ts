import { expect, test } from "vitest";
import { firstNeeded } from "../../plugins/shell";

const metadata = (css: string[], assets: string[]): { importedCss: Set<string>; importedAssets: Set<string> } => ({
  importedCss: new Set(css),
  importedAssets: new Set(assets),
});

test("first needed is what the entry imports statically, with styles and fonts, and nothing that it loads later", () => {
  const bundle = {
    "assets/index.js": {
      type: "chunk",
      isEntry: true,
      imports: ["assets/shared.js"],
      viteMetadata: metadata(["a.css"], ["face.woff2"]),
    },
    "assets/shared.js": { type: "chunk", imports: ["assets/index.js"] },
    "assets/later.js": { type: "chunk", imports: ["assets/shared.js"] },
    "assets/picture.svg": { type: "asset" },
    "assets/style.css": { type: "asset" },
  };
  const needed = ["a.css", "assets/index.js", "assets/shared.js", "assets/style.css", "face.woff2"];
  expect([...firstNeeded(bundle)].sort()).toEqual(needed);
});
