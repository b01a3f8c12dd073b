import { expect, test } from "vitest";
import { deliver, outcomeOf } from "#shared/agent/session/push/deliver.ts";
import { reachBinding } from "#shared/http/reach.ts";

const ORIGIN = "http://127.0.0.1:9000";
const CONFIG = { id: "c", url: `${ORIGIN}/hook`, token: "", scheme: "", credentials: "", isLegacy: false };
const STAY = new AbortController().signal;

/** Sends an event to an allowed address behind which `fetch` stands. */
function sent(config: object, fetch: (url: string, init: RequestInit) => Promise<Response>, allowed = [ORIGIN]) {
  return deliver(
    { config: { ...CONFIG, ...config }, body: "{}" },
    { [reachBinding(ORIGIN)]: { fetch } },
    allowed,
    STAY,
  );
}

async function headersOf(config: object): Promise<Record<string, string>> {
  let headers = new Headers();
  await sent(config, async (_, init) => {
    headers = new Headers(init.headers);
    return new Response();
  });
  return Object.fromEntries(headers);
}

test("an event says its type, and has the token and the authentication that the config names, both where both are set", async () => {
  expect(await headersOf({})).toEqual({ "content-type": "application/a2a+json" });
  expect(await headersOf({ token: "t", scheme: "Bearer", credentials: "abc" })).toEqual({
    "content-type": "application/a2a+json",
    "x-a2a-notification-token": "t",
    "a2a-notification-token": "t",
    authorization: "Bearer abc",
  });
  expect(await headersOf({ isLegacy: true })).toEqual({ "content-type": "application/json" });
  expect(await headersOf({ scheme: "Bearer" })).not.toHaveProperty("authorization");
});

test("a connection that breaks is tried again", async () => {
  const outcome = await sent({}, async () => Promise.reject(new Error("connection reset")));
  expect(outcome).toEqual({ is: "again", why: "connection reset" });
});

test("redirects are not followed, and no body is read", async () => {
  let [redirect, isCanceled]: [string | undefined, boolean] = [undefined, false];
  const endless = new ReadableStream({ cancel: () => void (isCanceled = true) });
  expect(
    await sent({}, async (_, init) => {
      redirect = init.redirect;
      return new Response(endless);
    }),
  ).toEqual({ is: "delivered" });
  expect([redirect, isCanceled]).toEqual(["manual", true]);
});

test("an address that is no longer allowed gets nothing, though its binding is still there", async () => {
  const outcome = await sent({}, async () => Promise.reject(new Error("reached")), []);
  expect(outcome).toMatchObject({ is: "refused", why: expect.stringContaining("private address") as unknown });
});

test.for<[number, string]>([
  [200, "delivered"],
  [204, "delivered"],
  [301, "refused"],
  [307, "refused"],
  [400, "refused"],
  [404, "refused"],
  [429, "again"],
  [500, "again"],
  [503, "again"],
])("an answer with %i means: %s", ([status, is]) => {
  expect(outcomeOf({ ok: status < 300, status, headers: new Headers() }).is).toBe(is);
});

test("a receiver that says when to come again is heard", () => {
  const headers = new Headers({ "retry-after": "120" });
  expect(outcomeOf({ ok: false, status: 429, headers })).toMatchObject({ is: "again", afterMs: 120_000 });
});
