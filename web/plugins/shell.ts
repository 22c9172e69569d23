import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build, type Plugin } from "vite";
import type { Packages } from "./licences.ts";

const TEXT = /\.(?:html|js|css|svg|json|webmanifest)$/;
const FLOOR = 1024; // below, compressing saves less than a packet
/** Installers of the operating system fetch these by themselves; the app never shows them. */
const NOT_OFFLINE = /^(?:\.vite\/|icons\/.*\.png$|sw\.js$|licenses\.md$|(?:guest|call)\.html$)/;
/**
 * The page once more, for those who come by a link and have nothing of the app yet: it names at once what their screen is made of, which the
 * browser would else hear of one after the other. The server hands it out at these addresses (edge/webapp.py).
 */
const AHEAD: Readonly<Record<string, string>> = {
  "guest.html": "src/routes/Guest.svelte",
  "call.html": "src/routes/Page.svelte",
};

type Output = Record<string, Chunk>;
type Chunk = {
  type: string;
  isEntry?: boolean;
  facadeModuleId?: string | null;
  imports?: string[];
  viteMetadata?: Metadata;
};
type Metadata = { importedCss: Set<string>; importedAssets: Set<string> };

/** What the first page needs: the entry, what it imports statically, their fonts, and the one style sheet, which belongs to no chunk. */
export function firstNeeded(bundle: Output): Set<string> {
  const sheets = Object.keys(bundle).filter((name) => name.endsWith(".css"));
  return new Set([...neededBy(bundle, ({ isEntry }) => isEntry === true), ...sheets]);
}

function neededBy(bundle: Output, isBeginning: (chunk: Chunk) => boolean): Set<string> {
  const needed = new Set<string>();
  const visit = (name: string): void => {
    const chunk = bundle[name];
    if (chunk === undefined || needed.has(name)) return;
    needed.add(name);
    chunk.viteMetadata?.importedCss.forEach((file) => needed.add(file));
    chunk.viteMetadata?.importedAssets.forEach((file) => needed.add(file));
    chunk.imports?.forEach(visit);
  };
  for (const [name, chunk] of Object.entries(bundle)) if (isBeginning(chunk)) visit(name);
  return needed;
}

/** The page with everything named that a screen needs beside the entry. */
export function pageAhead(page: string, bundle: Output, screen: string): string {
  const needed = neededBy(bundle, ({ facadeModuleId }) => facadeModuleId?.endsWith(`/${screen}`) === true);
  if (needed.size === 0) throw new Error(`${screen} is in no chunk of its own`);
  const first = firstNeeded(bundle);
  const beyond = [...needed].filter((name) => !first.has(name) && name.endsWith(".js"));
  const links = beyond.map((name) => `<link rel="modulepreload" crossorigin href="/${name}">`);
  return page.replace("</head>", `${links.map((link) => `  ${link}\n  `).join("")}</head>`);
}

async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

async function buildServiceWorker(folder: string, source: string, first: Set<string>): Promise<void> {
  const files = (await filesIn(folder)).filter((file) => !NOT_OFFLINE.test(file));
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  const path = (file: string): string => `/${file}`;
  await build({
    configFile: false,
    logLevel: "warn",
    define: {
      __SHELL_VERSION__: JSON.stringify(hash.digest("hex").slice(0, 12)),
      __SHELL_FIRST__: JSON.stringify(["/index.html", ...files.filter((file) => first.has(file)).map(path)]),
      __SHELL_LATER__: JSON.stringify(files.filter((file) => !first.has(file) && file !== "index.html").map(path)),
    },
    build: {
      outDir: folder,
      emptyOutDir: false,
      copyPublicDir: false,
      target: "es2022",
      // One classic script: neither imports nor a policy for them are needed.
      rolldownOptions: { input: source, output: { format: "iife", entryFileNames: "sw.js" } },
    },
  });
}

async function precompress(folder: string): Promise<void> {
  const brotli = promisify(brotliCompress);
  const zip = promisify(gzip);
  const jobs = (await filesIn(folder))
    .filter((file) => TEXT.test(file) && !file.startsWith(".vite/"))
    .map(async (file) => {
      const content = await readFile(join(folder, file));
      if (content.length < FLOOR) return;
      const hint = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } };
      await writeFile(join(folder, `${file}.br`), await brotli(content, hint));
      await writeFile(join(folder, `${file}.gz`), await zip(content, { level: 9 }));
    });
  await Promise.all(jobs);
}

/** After the app: the licences of what is in it, the service worker that knows every file of it, then compressed copies for the server to choose from. */
export function shell(serviceWorker: string, packages: Packages): Plugin {
  let folder = "";
  let source = "";
  let ahead: (page: string) => Record<string, string>;
  let first: Set<string> | undefined; // stays undefined when the build fails: then its own error is the one to show
  return {
    name: "restante:shell",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
      source = resolve(config.root, serviceWorker);
    },
    writeBundle(_options, bundle) {
      const output = bundle as unknown as Output;
      first = firstNeeded(output);
      ahead = (page) =>
        Object.fromEntries(Object.entries(AHEAD).map(([file, screen]) => [file, pageAhead(page, output, screen)]));
    },
    async closeBundle() {
      if (first === undefined) return;
      await writeFile(join(folder, "licenses.md"), await packages.page());
      const pages = ahead(await readFile(join(folder, "index.html"), "utf8"));
      for (const [file, text] of Object.entries(pages)) await writeFile(join(folder, file), text);
      await buildServiceWorker(folder, source, first);
      await precompress(folder);
    },
  };
}
