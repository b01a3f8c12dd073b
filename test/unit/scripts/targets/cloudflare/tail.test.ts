// What wrangler prints of a tail, as lines of a log.
import { expect, test } from "vitest";

import { objectsIn } from "../../../../../scripts/targets/cloudflare/tail/objects-in.ts";
import { linesOf } from "../../../../../scripts/targets/cloudflare/tail/tail-event.ts";

const AT = 1_796_135_974_462;
const TIME = new Date(AT).toISOString();
const EVENT = { outcome: "ok", eventTimestamp: AT, exceptions: [], logs: [] };

async function textsOf(chunks: readonly string[]): Promise<unknown[]> {
  const found: unknown[] = [];
  async function* stream() {
    yield* chunks;
  }
  for await (const text of objectsIn(stream())) found.push(JSON.parse(text));
  return found;
}

test("objects come out whole, however they are cut, and nothing that stands between them", async () => {
  const objects = [{ a: { b: "}\n}\n" } }, { c: [{ d: 1 }] }];
  const printed = `hello\n${objects.map((object) => JSON.stringify(object, null, 4)).join("\nreconnecting …\n")}\n`;
  expect(await textsOf([printed])).toEqual(objects);
  expect(await textsOf([...printed])).toEqual(objects);
});

test("an object that is too long is left out, and the next one is not", async () => {
  const long = JSON.stringify({ text: "x".repeat(3_000_000) }, null, 4);
  const chunks = [...(long.match(/[^]{1,65536}/g) ?? []), "\n", '{\n    "a": 1\n}\n'];
  expect(await textsOf(chunks)).toEqual([{ a: 1 }]);
});

test("a line has its agent, its level, its time and its span", () => {
  const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const message = ["[searcher] said", { a: 1 }, `trace=${trace} span=${span}`];
  const event = { ...EVENT, logs: [{ message, level: "warn", timestamp: AT }] };
  expect(linesOf(JSON.stringify(event), "searcher")).toEqual([
    { time: TIME, level: "warn", agent: "searcher", message: 'said {"a":1}', traceId: trace, spanId: span },
  ]);
});

test("an exception is an error with its stack", () => {
  const exceptions = [{ name: "TypeError", message: "boom", stack: "    at fetch", timestamp: AT }];
  expect(linesOf(JSON.stringify({ ...EVENT, outcome: "exception", exceptions }), "searcher")).toEqual([
    {
      time: TIME,
      level: "error",
      agent: "searcher",
      message: "TypeError: boom\n    at fetch",
      traceId: null,
      spanId: null,
    },
  ]);
});

test("an end by a limit is an error", () => {
  expect(linesOf(JSON.stringify({ ...EVENT, outcome: "exceededCpu" }), "searcher")).toMatchObject([
    { level: "error", message: "Cloudflare ended the Worker: exceededCpu." },
  ]);
});

test("what is no event has no lines", () => {
  expect([linesOf("{", "searcher"), linesOf('{"error":"x"}', "searcher")]).toEqual([[], []]);
});
