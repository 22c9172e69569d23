import type { CodeSplittingOptions } from "rolldown";

/** Loaded by everybody. */
const ENTRY = "/src/main.ts";
/** Screens of people who come by a link: on a phone, with nothing of the app yet. */
const BY_LINK = ["/src/routes/Guest.svelte", "/src/routes/Page.svelte"];
/** One file for each sentence, which all words lead to: only what is really used of them counts. */
const WORDS = /\/src\/i18n\/messages\//;

/** What the build knows of a module. */
type Modules = { getModuleInfo(id: string): { importedIds: readonly string[] } | null };

/** Everything that a module imports statically, and what that imports; not the words. */
export function reach(modules: Modules, beginning: string): Set<string> {
  const found = new Set<string>();
  const visit = (id: string): void => {
    if (found.has(id) || WORDS.test(id)) return;
    found.add(id);
    modules.getModuleInfo(id)?.importedIds.forEach(visit);
  };
  visit(beginning);
  return found;
}

/**
 * By itself the build makes a file of each handful of lines that some screens share, and each is a request: on a phone they cost more than
 * what is in them. So all that the app starts with is one file, and what the screens behind a link need beyond it two more: what
 * other screens need too, and the rest.
 */
export function chunks(source: string): CodeSplittingOptions {
  const known = new Map<string, Set<string>>();
  const reachOf = (modules: Modules, path: string): Set<string> => {
    const beginning = source + path;
    const reached = known.get(beginning) ?? reach(modules, beginning);
    known.set(beginning, reached);
    return reached;
  };
  const isBeginning = (id: string): boolean => [ENTRY, ...BY_LINK].some((path) => id === source + path);
  const within = (name: string, paths: readonly string[]) => (id: string, modules: Modules) =>
    !isBeginning(id) && paths.some((path) => reachOf(modules, path).has(id)) ? name : null;
  return {
    includeDependenciesRecursively: false,
    groups: [
      { name: within("start", [ENTRY]), priority: 3 },
      { name: "words", test: WORDS, minShareCount: 4, priority: 2 },
      { name: within("shared", BY_LINK), minShareCount: 8, priority: 2 },
      { name: within("by-link", BY_LINK), priority: 1 },
    ],
  };
}
