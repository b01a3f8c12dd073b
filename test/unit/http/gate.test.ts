// The gate in front of every listener: who is let in, in which form the others are refused, and how many at once.
import { Hono } from "hono";
import { expect, test } from "vitest";

import { CallerLimits, type Entry } from "#shared/http/caller-limits.ts";
import { asWhole, BINDING_PROPS, gate, type Visitor } from "#shared/http/gate.ts";
import { problem, Problem } from "#shared/http/problem.ts";

const CARD = "https://agents.example:8443/searcher";

interface Gated {
  readonly visitor?: () => Visitor;
  readonly maxUnderWay?: number;
  readonly enter?: () => Entry;
  readonly handler?: () => Response | Promise<Response>;
}

function listener({ visitor = () => "anonymous", handler = () => new Response("in"), ...options }: Gated = {}) {
  const app = new Hono();
  app.use(gate<{ Bindings: object }>({ urls: () => [CARD], visitor, ...options }));
  app.all("*", () => handler());
  return (url: string, headers: Record<string, string> = {}, props?: object) => {
    const ctx = { waitUntil: () => {}, passThroughOnException: () => {}, props };
    return app.request(url, { headers }, {}, props === undefined ? undefined : ctx);
  };
}

test.for([
  "http://localhost/",
  "http://127.0.0.1:9001/tasks",
  "http://[::1]:9001/",
  "http://LOCALHOST:1/",
  "https://agents.example/",
  "http://agents.example:1/",
])("a request to %s is let in, whatever its port", async (url) => {
  expect(await (await listener()(url)).text()).toBe("in");
});

test.for([
  "http://evil.example:9001/tasks",
  "http://127.0.0.1.evil.example/",
  "http://localhost.evil.example/",
  "http://evil-agents.example/",
  "http://10.0.0.1:9001/",
  "http://0.0.0.0:9001/",
])("a request to %s is refused before anything is done", async (url) => {
  const response = await listener({ handler: () => expect.unreachable() })(url);
  expect([response.status, Problem.parse(await response.json()).type]).toEqual([403, "/problems/foreign-host"]);
});

test.for([
  ["its own origin", { origin: "http://localhost:9001" }, 200],
  ["its own origin, encrypted up to a tunnel", { origin: "https://localhost:9001" }, 200],
  ["its own page", { "sec-fetch-site": "same-origin" }, 200],
  ["an address that was typed", { "sec-fetch-site": "none" }, 200],
  ["another site", { origin: "https://evil.example" }, 403],
  ["another port of this machine", { origin: "http://localhost:3000" }, 403],
  ["a page without an origin", { origin: "null" }, 403],
  ["an empty origin", { origin: "" }, 403],
  ["an extension", { origin: "chrome-extension://localhost:9001" }, 403],
  ["two origins", { origin: "http://localhost:9001, https://evil.example" }, 403],
  ["a page that sends no origin along", { "sec-fetch-site": "cross-site" }, 403],
  [
    "a page of another site with the right origin",
    { origin: "http://localhost:9001", "sec-fetch-site": "Cross-Site" },
    403,
  ],
] as const)("what comes from %s", async ([, headers, status]) => {
  expect((await listener()("http://localhost:9001/", { ...headers })).status).toBe(status);
});

test("what comes over a binding was let in by the deployment; no header can say so", async () => {
  const ask = listener();
  expect((await ask("https://searcher/", {}, BINDING_PROPS)).status).toBe(200);
  expect((await ask("https://searcher/", {}, { via: "socket" })).status).toBe(403);
  expect((await ask("https://searcher/", { via: "binding", props: '{"via":"binding"}' }, {})).status).toBe(403);
});

test("credentials that are not valid are refused, also over a binding", async () => {
  const ask = listener({ visitor: () => problem("unauthorized", "forged") });
  for (const props of [undefined, BINDING_PROPS]) {
    const response = await ask("http://localhost/", {}, props);
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  }
});

test("a caller who has entered leaves when the answer has ended, and one who may not is refused with the reason", async () => {
  const limits = new CallerLimits();
  const limit = { perS: 1, burst: 10, open: 1 };
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const stream = () => new Response(readable, { headers: { "content-type": "text/event-stream" } });
  const answers = [stream, () => new Response("in")];
  const ask = listener({
    handler: () => answers.shift()?.() ?? new Response("in"),
    enter: () => limits.enter("a", limit),
  });
  const open = await ask("http://localhost/");
  const refused = await ask("http://localhost/");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(Problem.parse(await refused.json()).detail).toMatch(/You have 1 open requests/);
  await writable.close();
  await open.text();
  await expect.poll(async () => (await ask("http://localhost/")).status).toBe(200);
});

test("more than can be worked on is refused with when to come again, and let in as soon as one is done", async () => {
  const held: PromiseWithResolvers<Response>[] = [];
  const handler = () => {
    const one = Promise.withResolvers<Response>();
    held.push(one);
    return one.promise;
  };
  const ask = listener({ maxUnderWay: 2, handler });
  const inside = [ask("http://localhost/"), ask("http://localhost/")];
  const refused = await ask("http://localhost/");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(Problem.parse(await refused.json()).detail).toMatch(/works on 2 requests/);
  held[0]?.resolve(new Response("done"));
  await inside[0];
  const next = ask("http://localhost/");
  held[1]?.resolve(new Response("done"));
  held[2]?.resolve(new Response("next"));
  expect(await (await next).text()).toBe("next");
});

test("questions of peers are never kept out by what waits for their answers", async () => {
  const held = Promise.withResolvers<Response>();
  let isPeer = false;
  const handler = () => (isPeer ? new Response("peer") : held.promise);
  const ask = listener({ maxUnderWay: 1, handler, visitor: () => (isPeer ? "peer" : "anonymous") });
  const waiting = ask("http://localhost/");
  isPeer = true;
  expect(await (await ask("http://localhost/")).text()).toBe("peer");
  held.resolve(new Response("done"));
  expect(await (await waiting).text()).toBe("done");
});

test("a stream is under way until it has ended or its reader has gone; a failure ends at once", async () => {
  let make: () => Response = () => new Response();
  const ask = listener({ maxUnderWay: 1, handler: () => make() });
  const streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  const open = () => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void streams.push(controller) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  const isFull = async () => {
    make = () => new Response("in");
    return (await ask("http://localhost/")).status === 503;
  };
  make = open;
  const ended = await ask("http://localhost/");
  expect(await isFull()).toBe(true);
  streams[0]?.close();
  await ended.text();
  await expect.poll(isFull).toBe(false);
  make = open;
  const left = await ask("http://localhost/");
  expect(await isFull()).toBe(true);
  await left.body?.cancel();
  await expect.poll(isFull).toBe(false);
  make = () => {
    throw new Error("a bug");
  };
  expect((await ask("http://localhost/")).status).toBe(500);
  expect(await isFull()).toBe(false);
});

test("an event stream that is there as a whole has ended once it is made, and goes out as it is", async () => {
  const headers = { "content-type": "text/event-stream" };
  const made = asWhole(new Response("data: 1\n\n", { headers }));
  const ask = listener({ maxUnderWay: 1, handler: () => made });
  expect(await ask("http://localhost/")).toBe(made);
  expect((await ask("http://localhost/")).status).toBe(200);
});
