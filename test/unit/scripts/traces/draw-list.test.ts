// The list of traces as a table.
import { expect, test } from "vitest";

import { PLAIN_SCREEN } from "../../../../scripts/terminal/screen.ts";
import { drawList } from "../../../../scripts/traces/draw/draw-list.ts";
import type { TraceSummary } from "../../../../scripts/traces/span.ts";
import { START_US, summary } from "./made-up.ts";

const NOW = START_US / 1_000 + 120_000;

function list(traces: readonly Partial<TraceSummary>[], screen = PLAIN_SCREEN): string[] {
  return drawList(
    traces.map((more) => ({ store: { job: "research" }, summary: summary(more) })),
    screen,
    NOW,
  );
}

test("a line says which trace, when, how it went, what it took and what was asked", () => {
  const lines = list([
    {},
    { traceId: "9f86d081884c7d659a2feaa0c55ad015", status: "error", errors: 2, costUsd: null, durationMs: 65_000 },
    { traceId: "0b".repeat(16), status: "open", durationMs: null, text: "Where do\nalpine marmots live?" },
    {
      traceId: "0c".repeat(16),
      kind: "deploy",
      name: "deploy research",
      text: "",
      modelCalls: 0,
      inputTokens: 0,
      outputTokens: 0,
      costUsd: null,
    },
  ]);
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "TRACE     WHEN       JOB       STATE       TOOK  CALLS  TOKENS     COST  SPANS  ERRORS  ASKED
    4bf92f35  2 min ago  research  ok        1.00 s      3    4.0k  $0.0175      9          What is a Durable Object?
    9f86d081  2 min ago  research  error  1 min 5 s      3    4.0k        -      9       2  What is a Durable Object?
    0b0b0b0b  2 min ago  research  open       2 min      3    4.0k  $0.0175      9          Where do alpine marmots live?
    0c0c0c0c  2 min ago  research  ok        1.00 s                              9          deploy research"
  `);
});

test("ids have as many digits as tell them apart", () => {
  const [, first, second] = list([{ traceId: `${"a".repeat(12)}1${"0".repeat(19)}` }, { traceId: "a".repeat(32) }]);
  expect([first?.split(" ")[0], second?.split(" ")[0]]).toEqual([`${"a".repeat(12)}1`, "a".repeat(13)]);
});

test("the same trace in two jobs does not make its id longer", () => {
  expect(list([{}, {}])[1]?.split(" ")[0]).toHaveLength(8);
});

test("questions are cut only where a terminal would break the line", () => {
  const text = "What? ".repeat(40).trim();
  expect(list([{ text }])[1]).toContain(text);
  expect(list([{ text }], { ...PLAIN_SCREEN, isTerminal: true, columns: 140 })[1]).toHaveLength(139);
});
