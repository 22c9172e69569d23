import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "vite";

const PACKAGE = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** Folders of the packages of which something is in the build, workers included: those are bundles of their own. */
export class Packages {
  readonly #folders = new Set<string>();

  plugin(): Plugin {
    return {
      name: "restante:licences",
      generateBundle: (_options, bundle) => {
        for (const part of Object.values(bundle)) {
          if (part.type === "chunk") this.note(Object.keys(part.modules));
        }
      },
    };
  }

  note(modules: readonly string[]): void {
    for (const id of modules) {
      const folder = PACKAGE.exec(id)?.[1];
      if (folder !== undefined) this.#folders.add(folder);
    }
  }

  /** Returns the page of licences. @throws when a package comes without the text of its own */
  async page(): Promise<string> {
    const texts = await Promise.all([...this.#folders].map(licenceOf));
    const intro = "# Licences\n\nThe web app has these packages inside. Its own licence is Apache-2.0.\n";
    return [intro, ...texts.sort()].join("\n");
  }
}

async function licenceOf(folder: string): Promise<string> {
  const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Record<string, string>;
  const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${about["name"]} comes without the text of its licence`);
  const text = (await readFile(join(folder, file), "utf8")).trim();
  return `## ${about["name"]} ${about["version"]} (${about["license"]})\n\n${text}\n`;
}
