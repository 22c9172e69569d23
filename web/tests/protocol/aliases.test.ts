// What an account record says of a move, against protocol/vectors/alias/, and one's own aliases.

import { expect, test } from "vitest";
import { ownAliases, readAlias } from "../../src/crypto/aliases";
import { unb64 } from "../../src/protocol/encoding";
import { family } from "./vectors";

interface Fields {
  readonly acct: string;
  readonly sign: string;
  readonly alias?: unknown;
}

function fieldsOf(record: Uint8Array): Fields {
  return JSON.parse(new TextDecoder().decode(record).split("\n").slice(3).join("\n")) as Fields;
}

test.each(await family("alias"))("alias/$name", (vector) => {
  const { acct, sign, alias } = fieldsOf(vector.body);
  const found = readAlias(alias, unb64(sign));
  const counts = found !== null && [found.old, found.new].includes(acct) ? found : null;
  const old = vector.maybe("old");
  expect(counts).toEqual(old === undefined ? null : { old, new: vector.text("new") });
});

test("one's own aliases are those that one's own keys signed", async () => {
  const vectors = await family("alias");
  const alias = (name: string) => {
    const vector = vectors.find((each) => each.name === name);
    return vector ? fieldsOf(vector.body) : { acct: "", sign: "" };
  };
  const came = alias("ok-of-who-came");
  const keys = [unb64(came.sign)];
  const setting = ["!", came.alias, alias("signed-by-another").alias].join(" ");
  expect(ownAliases(setting, came.acct, keys)).toEqual(["ann@post.example"]);
  expect(ownAliases(setting, came.acct, [])).toEqual([]);
  expect(ownAliases(setting, "ann@third.example", keys)).toEqual([]);
  expect(ownAliases(undefined, came.acct, keys)).toEqual([]);
});
