// The rules by which the traces of all e2e queries are judged do find what they are there for.
import { expect, test } from "vitest";
import { problemsOf } from "../support/trace-rules.ts";
import type { TracedSpan } from "../support/trace-store.ts";

function span(
  id: string,
  parentSpanId: string,
  [start, end]: readonly [number, number],
  more: Partial<TracedSpan> = {},
) {
  const kind = parentSpanId === "" ? "query" : undefined;
  return {
    traceId: "t",
    spanId: id,
    parentSpanId,
    name: id,
    kind: 1,
    startTimeUnixNano: BigInt(start),
    endTimeUnixNano: BigInt(end),
    attributes: [],
    status: { code: 0, message: "" },
    agent: "a",
    open: end === 0,
    error: undefined,
    provisional: false,
    get: (attribute: string) => (attribute === "troupe.trace.kind" ? kind : undefined),
    ...more,
  } satisfies TracedSpan;
}
const chat = (attribute: string) => ({ "gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 1 })[attribute];
const root = span("root", "", [10, 20]);

test.each<[string, TracedSpan[], string[]]>([
  [
    "nothing in a good trace",
    [root, span("child", "root", [10, 20]), span("chat", "child", [11, 12], { get: chat })],
    [],
  ],
  ["a second root", [root, span("other", "", [10, 20])], ["2 roots"]],
  ["no root", [span("child", "root", [10, 20])], ["0 roots", "a: child (child) has a parent that is not in the trace"]],
  ["another trace", [root, span("child", "root", [10, 20], { traceId: "u" })], ["more than one trace id"]],
  ["an open span", [root, span("child", "root", [10, 0])], ["a: child (child) is open"]],
  ["a negative length", [root, span("child", "root", [15, 14])], ["a: child (child) ends before it begins"]],
  [
    "a missing parent",
    [root, span("child", "gone", [10, 20])],
    ["a: child (child) has a parent that is not in the trace"],
  ],
  [
    "a model call of no length",
    [root, span("chat", "root", [15, 15], { get: chat })],
    ["a: chat (chat) is a model call of 0 ms"],
  ],
  ["an early child", [root, span("child", "root", [9, 20])], ["a: child (child) begins before its parent root"]],
  ["a late child", [root, span("child", "root", [10, 21])], ["a: child (child) ends after its parent root"]],
  ["not a late child of one that gave up", [{ ...root, error: "canceled" }, span("child", "root", [10, 21])], []],
])("they find %s", (_, spans, problems) => {
  expect(problemsOf(spans)).toEqual(problems);
});
