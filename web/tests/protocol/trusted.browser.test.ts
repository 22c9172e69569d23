import { expect, test } from "vitest";
import { scriptUrl } from "../../src/protocol/trusted";

test.each(["/sw.js", "/workers/take-abc.js", "/assets/index-B_1.js"])("%s is a script of ours", (path) => {
  expect(String(scriptUrl(path))).toBe(location.origin + path);
});

test.each([
  "https://elsewhere.example/workers/take-abc.js",
  "//elsewhere.example/sw.js",
  "/api/v1/messages/msg_x/video",
  "/workers/../api/v1/x.js",
  "/workers/take.css",
  "blob:x",
  "data:text/javascript,0",
  "javascript:0",
])("%s is none", (path) => {
  expect(() => scriptUrl(path)).toThrow(TypeError);
});
