// npm's age-encryption behind JSON lines: one job a line on stdin, one answer a line on stdout.
//   {"do":"keys","kind":"x25519"|"hybrid"}                    -> {"identity","recipient"}
//   {"do":"seal","recipients":[…],"from":FILE,"to":FILE}      -> {}
//   {"do":"open","identity":…,"from":FILE,"to":FILE}          -> {} or {"error":…}
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable, Writable } from "node:stream";
import * as age from "age-encryption";

const source = (path) => Readable.toWeb(createReadStream(path, { highWaterMark: 65536 }));
const target = (path) => Writable.toWeb(createWriteStream(path));

const jobs = {
  async keys({ kind }) {
    const identity = await (kind === "hybrid" ? age.generateHybridIdentity() : age.generateX25519Identity());
    return { identity, recipient: await age.identityToRecipient(identity) };
  },
  async seal({ recipients, from, to }) {
    const encrypter = new age.Encrypter();
    recipients.forEach((recipient) => encrypter.addRecipient(recipient));
    await (await encrypter.encrypt(source(from))).pipeTo(target(to));
    return {};
  },
  async open({ identity, from, to }) {
    const decrypter = new age.Decrypter();
    decrypter.addIdentity(identity);
    await (await decrypter.decrypt(source(from))).pipeTo(target(to));
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const answer = await jobs[job.do](job).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
