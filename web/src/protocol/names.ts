// Account names and addresses: `ann` is a name, `ann@post.example` its acct.

const NAME = /^[a-z0-9_-]{3,32}$/;
const SERVER_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Tells whether the text has the form of an account name; reserved words, which the server refuses, have. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** Tells whether the text is an address of the form `name@server-name`. */
export function isAcct(text: string): boolean {
  const at = text.indexOf("@");
  return at > 0 && isName(text.slice(0, at)) && SERVER_NAME.test(text.slice(at + 1));
}

/** Returns the name of an acct: what stands before the `@`. */
export function nameOf(acct: string): string {
  return acct.slice(0, acct.indexOf("@"));
}
