// What is read of whole spans for the tree.
import { expect, test } from "vitest";

import { readDetails } from "../../../../scripts/traces/store/details.ts";
import { OtlpPage } from "../../../../scripts/traces/store/otlp-page.ts";
import { summary } from "./made-up.ts";

/** What is known of one span with these attributes. */
async function detailOf(kind: number, attributes: Readonly<Record<string, unknown>>, bytes = 1_000) {
  const span = {
    traceId: "a",
    spanId: "1a2b",
    kind,
    startTimeUnixNano: "1",
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })),
  };
  const page = OtlpPage.parse({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }], next: null });
  const store = {
    async *otlp() {
      yield await Promise.resolve(page);
    },
  };
  return (await readDetails(store, summary({ bytes }))).get("1a2b");
}

const text = (stringValue: string) => ({ stringValue });
const tool = async (input: unknown) =>
  detailOf(1, { "gen_ai.operation.name": text("execute_tool"), "gen_ai.tool.call.arguments": input });

test("a call to a peer has whom it asked, and the question in quotes", async () => {
  const call = { "troupe.a2a.target": text("searcher"), "troupe.a2a.message": text("Where?") };
  expect(await detailOf(3, call)).toEqual({ peer: "searcher", asked: "“Where?”" });
  expect(await detailOf(2, call)).toBeUndefined();
});

test("a call to a model has the time to its first piece", async () => {
  expect(await detailOf(3, { "gen_ai.response.time_to_first_chunk": { doubleValue: 0.02 } })).toEqual({
    firstUs: 20_000,
  });
});

test.each([
  ['{"query":"workerd","limit":5,"tags":["a"]}', 'query: workerd, limit: 5, tags: ["a"]'],
  ['["a",1]', "a, 1"],
  ['{"query": "work[cut: 9 characters left out]', '{"query": "work[cut: 9 characters left out]'],
  ["7", undefined],
  ["{}", undefined],
  ["null", undefined],
  ["", undefined],
])("a tool's input %s is shown as %s", async (input, asked) => {
  expect((await tool(text(input)))?.asked).toBe(asked);
});

test("a foreign tool's input may be a map, or nothing that is known", async () => {
  const values = [{ key: "query", value: text("workerd") }];
  expect(await tool({ kvlistValue: { values } })).toEqual({ asked: "query: workerd" });
  expect(await tool({ somethingElse: 1 })).toBeUndefined();
});

test("no more of a text is kept than a line can show, and nothing of a trace that is too large", async () => {
  expect((await tool(text(`{"text":"${"x".repeat(30_000)}"}`)))?.asked).toHaveLength(400);
  expect(await detailOf(3, { "troupe.a2a.target": text("searcher") }, 5_000_000)).toBeUndefined();
});
