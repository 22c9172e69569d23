// The worker's file itself, in a browser: it starts, answers, opens a video and ends.

import { expect, test } from "vitest";
import { startCrypto } from "../../src/crypto/service";
import { equalBytes, unb64 } from "../../src/protocol/encoding";
import { NOW, sent } from "./people";

test("the worker makes an account, keeps its secrets and opens a video", async () => {
  const service = startCrypto();
  const { account, record, recoveryCode, keyring } = await service.makeAccount({
    acct: "ann@post.example",
    passphrase: "correct horse battery",
    nowMs: NOW,
  });
  expect(await service.account()).toEqual(account);
  await service.lock();
  await expect(service.account()).rejects.toMatchObject({ code: "keyring-no-match" });
  await service.takeRecoveryCode(recoveryCode);
  expect(await service.openKeyring({ sealed: unb64(keyring), acct: account.acct, history: [unb64(record)] })).toEqual(
    account,
  );
  const message = await sent();
  const read = async (offset: number, length: number) => message.video.slice(offset, offset + length);
  const video = await service.openVideo(message.key, { size: message.video.length, read }, message.parts);
  expect(equalBytes(await video.read(0, video.plainSize), message.mp4)).toBe(true);
  const waiting = service.makeAccount({ acct: "bob@post.example", passphrase: null, nowMs: NOW });
  service.close();
  await expect(waiting).rejects.toThrow("closed");
});
