/**
 * The one Trusted Types policy: script URLs of this origin that the build knows.
 * A browser without Trusted Types takes the string itself.
 */
const SCRIPTS = /^\/(?:sw\.js|(?:workers|assets|src|node_modules)\/[\w./@-]+\.(?:js|ts))$/;

function checked(input: string): string {
  const url = new URL(input, location.origin);
  if (url.origin !== location.origin || !SCRIPTS.test(url.pathname)) throw new TypeError("not a script of this app");
  return url.href;
}

interface Policy {
  createScriptURL(input: string): unknown;
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL(input: string): string }): Policy;
}

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
const policy: Policy = factory?.createPolicy("restante", { createScriptURL: checked }) ?? { createScriptURL: checked };

/** Returns what `new Worker`, `addModule` and `register` take. Its type says string because the DOM's typings do. */
export function scriptUrl(path: string): string {
  return policy.createScriptURL(path) as string;
}
