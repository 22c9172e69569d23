import { afterEach, beforeEach, expect, test } from "vitest";
import { Router } from "../../src/state/router.svelte";

let router: Router;
const home = location.pathname + location.search;
const moved = (): Promise<void> =>
  new Promise((resolve) => addEventListener("popstate", () => resolve(), { once: true }));

beforeEach(() => {
  history.replaceState(null, "", "/inbox");
  router = new Router();
});
afterEach(() => {
  router.close();
  history.replaceState(null, "", home);
});

test("it goes to addresses of the app, with their query, and back", async () => {
  router.go("/record?to=ann");
  expect([router.path, router.query.get("to"), location.pathname]).toEqual(["/record", "ann", "/record"]);
  const back = moved();
  router.back("/people");
  await back;
  expect([router.path, router.query.size]).toEqual(["/inbox", 0]);
});

test("the way back from a page that was entered directly leads to where it is told", () => {
  const length = history.length;
  router.back("/people");
  expect([router.path, history.length]).toEqual(["/people", length]);
});

test("going where one is adds nothing to the history", () => {
  const length = history.length;
  router.go("/inbox");
  expect(history.length).toBe(length);
});

test("while the page is held, neither the browser's way back nor ours leaves it", async () => {
  router.go("/record");
  let isRunning = true;
  const letGo = router.hold(() => isRunning);
  const back = moved();
  history.back();
  await back;
  expect([router.path, location.pathname, router.isHeld]).toEqual(["/record", "/record", true]);
  router.back("/inbox");
  expect(location.pathname).toBe("/record");
  isRunning = false;
  expect(router.isHeld).toBe(false);
  letGo();
});

test("letting go late does not free what somebody else holds by now", () => {
  const first = router.hold(() => true);
  router.hold(() => true);
  first();
  expect(router.isHeld).toBe(true);
});

test("a link's fragment leaves the address bar at once, and is kept for its own address only", () => {
  router.close();
  history.replaceState(null, "", "/add/ann@post.example?x=1#fp.secret");
  router = new Router();
  expect([location.hash, location.search]).toEqual(["", "?x=1"]);
  expect(router.fragmentOf("/add/ann@post.example")).toBe("fp.secret");
  expect(router.fragmentOf("/add/bob@post.example")).toBe("");
  router.go("/sign-in");
  expect(router.fragmentOf("/add/ann@post.example")).toBe("fp.secret");
});

test("the fragment of any other address stays", () => {
  router.close();
  history.replaceState(null, "", "/inbox#page");
  router = new Router();
  expect([location.hash, router.fragmentOf("/inbox")]).toEqual(["#page", ""]);
});
