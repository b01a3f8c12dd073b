// What a person sees of a trace.
import { describe, expect, test } from "vitest";

import { STATUS } from "#shared/tracing/otlp.ts";

import { PLAIN_SCREEN, type Screen } from "../../../../scripts/screen.ts";
import { widthOf } from "../../../../scripts/terminal-text.ts";
import { drawTrace } from "../../../../scripts/traces/draw.ts";
import type { Span, TraceSummary } from "../../../../scripts/traces/shapes.ts";
import { question, span, START_US, summary } from "./made-up.ts";

const NOW_US = START_US + 1_200_000;
const WIDE: Screen = { ...PLAIN_SCREEN, columns: 120 };

function draw(spans: readonly Span[], screen = WIDE, more: Partial<TraceSummary> = {}, nowUs = NOW_US): string[] {
  return drawTrace({ job: "research", summary: summary(more), spans }, screen, nowUs);
}

function lineOf(lines: readonly string[], name: string): string {
  return lines.find((line) => line.includes(name)) ?? "";
}

test("a question is drawn with its bars, its tree and what each span took", () => {
  const spans = question();
  const details = new Map([[spans[2]?.spanId ?? "", { firstUs: 20_000 }]]);
  const lines = drawTrace({ job: "research", summary: summary(), spans, details }, WIDE, NOW_US);
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "“What is a Durable Object?”
    ok in 1.00 s · 2 agents · 3 model calls · 3.6k tokens in, 450 out · $0.0175 · 9 spans
    trace 4bf92f3577b34da6a3ce929d0e0e4736 · research · 1 s ago

      0                              1.00 s  SPAN                             AGENT          TOOK    IN/OUT     COST  FIRST
    ● ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒  SendMessage                      coordinator  1.00 s
    ● ▒▒▒▒▒▒▒█▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒  └ invoke_agent coordinator       coordinator  990 ms
    ● ███████                                  ├ chat claude                  coordinator  190 ms  1.2k/150  $0.0059  20 ms
    ●        █▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒               ├ execute_tool query_agent     coordinator  500 ms
    ●        █▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒               │ └ coordinator → searcher     coordinator  490 ms
    ●         ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒█               │   └ SendStreamingMessage     searcher     470 ms
    ●         █▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                │     └ invoke_agent searcher  searcher     460 ms
    ●         █████████████████                │       └ chat claude          searcher     450 ms  1.2k/150  $0.0059
    ●                           ███████████    └ chat claude                  coordinator  280 ms  1.2k/150  $0.0059

    Critical path (●): 1.00 s, of which model 920 ms (92 %), tools 10 ms (1 %), waiting for peers 20 ms (2 %), the agents'
    own work 50 ms (5 %)."
  `);
});

describe("the columns", () => {
  const spans = [
    ...question(),
    span("execute_tool 検索する長い名前のツール👩‍👩‍👧", 20, 30, { agent: "非常に長い名前のエージェント" }),
    span(`chat ${"x".repeat(300)}`, 20, 30, { message: "y".repeat(300), status: STATUS.error }),
  ];

  test.each([40, 50, 80, 120, 300])("never leave a screen of %d", (columns) => {
    for (const line of draw(spans, { ...PLAIN_SCREEN, columns })) expect(widthOf(line)).toBeLessThan(columns);
  });

  test("stand below each other, however wide the characters are", () => {
    const lines = draw(spans);
    const starts = lines.filter((line) => /\d ms$/.test(line.trimEnd())).map((line) => widthOf(line.trimEnd()));
    expect(new Set(starts).size).toBe(1);
  });

  test("that have nothing to say are left out", () => {
    const [, , , , header] = draw([span("SendMessage", 0, 10)]);
    expect(header?.trim().split(/\s+/)).toEqual(["0", "10", "ms", "SPAN", "AGENT", "TOOK"]);
  });
});

describe("a span", () => {
  test("that is open says so and for how long", () => {
    const lines = draw([span("SendMessage", 0, null)], WIDE, { status: "open", durationMs: null });
    expect(lines[1]).toContain("still open after 1.20 s");
    expect(lineOf(lines, "coordinator")).toContain("still open 1.20 s");
  });

  test("that was left open long ago does not press the others together", () => {
    const root = span("SendMessage", 0, 1_000);
    const lines = draw([root, span("lost", 10, null, { parentId: root.spanId })], WIDE, {}, START_US + 9e10);
    expect(lineOf(lines, "lost")).toContain("still open 1 d 1 h");
    expect(lines[4]).toContain("1.00 s");
  });

  test("whose end was made up is marked as lost", () => {
    expect(draw([span("chat", 0, 300, { provisional: true })])[5]).toContain("300 ms lost");
  });

  test("that failed has its message on the line below, once for the spans that pass it on", () => {
    const failed = { status: STATUS.error, message: "The model is overloaded.\nTry later." };
    const root = span("SendMessage", 0, 10, failed);
    const lines = draw([root, span("chat", 1, 2, { ...failed, parentId: root.spanId })]);
    expect(lines.filter((line) => line.includes("✗ The model is overloaded. Try later."))).toHaveLength(1);
    expect(lines[lines.findIndex((line) => line.includes("✗ chat")) + 1]).toContain("✗ The model is overloaded.");
    expect(lineOf(lines, "✗ SendMessage")).not.toBe("");
  });

  test("whose parent never came stands below a line that says so", () => {
    const lines = draw([span("SendMessage", 0, 10), span("lost", 1, 1, { parentId: "00f067aa0ba902b7" })]);
    const at = lines.indexOf("Their parent has not come:");
    expect(at).toBeGreaterThan(lines.findIndex((line) => line.includes("SendMessage  ")));
    expect(lines[at + 1]).toContain("lost");
  });

  test("that calls a peer which never answered is named by whom it called", () => {
    const call = span("SendStreamingMessage", 0, 10);
    const details = new Map([[call.spanId, { target: "searcher" }]]);
    const lines = drawTrace({ job: "research", summary: summary(), spans: [call], details }, WIDE, NOW_US);
    expect(lineOf(lines, "→")).toContain("coordinator → searcher");
  });
});

describe("the critical path", () => {
  test("is marked: spans with time of their own on it, spans it only leads through, and the rest", () => {
    const root = span("root", 0, 100, { agent: "a" });
    const through = span("through", 0, 100, { parentId: root.spanId });
    const own = span("own", 0, 100, { parentId: through.spanId });
    const beside = span("beside", 0, 50, { parentId: through.spanId });
    const marks = draw([root, through, own, beside])
      .slice(5, 9)
      .map((line) => [line[0], /[a-z]{3,}/.exec(line)?.[0]]);
    expect(marks).toEqual([
      ["│", "root"],
      ["│", "through"],
      ["●", "own"],
      [" ", "beside"],
    ]);
  });

  test("of a trace without models is told by its longest spans", () => {
    const root = span("deploy research", 0, 1_000);
    const build = span("deploy.build", 0, 700, { parentId: root.spanId });
    expect(draw([root, build]).at(-1)).toBe(
      "Critical path (●): 1.00 s, of which deploy.build 700 ms (70 %), deploy research 300 ms (30 %).",
    );
  });
});

test("a clock that is wrong costs no bar its length: its spans are drawn shifted, and a line below says so", () => {
  const root = span("root", 0, 20, { agent: "shop" });
  const child = span("child", 2_400_000, 5, { agent: "shop", parentId: root.spanId });
  const lines = draw([root, child], WIDE, { name: "root", agent: "shop" });
  expect(lines[4]).toMatch(/^ +0 +20 ms /);
  expect(lineOf(lines, "root ")).toMatch(/^● [█▒]{30}/);
  expect(lineOf(lines, "child ")).toMatch(/^● █{10}/);
  expect(lines.at(-1)).toBe("The clock of shop is 40 min ahead of its caller's: its spans are drawn shifted.");
});

test("a clock that is behind does not make a trace older than it is", () => {
  const root = span("root", 0, null);
  const lines = draw([root, span("child", -2_400_000, 5, { parentId: root.spanId })], WIDE, {
    status: "open",
    durationMs: null,
    startUs: START_US - 2_400_000_000,
  });
  expect(lines[1]).toContain("still open after 1.20 s");
});

test("colours come only where the screen shows them, and the text is the same without", () => {
  const plain = draw(question()).join("\n");
  const coloured = draw(question(), { ...WIDE, colours: true }).join("\n");
  expect(plain).not.toContain("\u001b");
  expect(coloured).toContain("\u001b[1m");
  expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).toBe(plain);
});

test("a trace of which nothing has come is no error", () => {
  expect(draw([], WIDE, { text: "", name: "", agent: "", agents: [], spans: 0 }).join("\n")).toContain(
    "A trace whose root has not come",
  );
});

test("all of ten thousand spans are drawn, beside or below each other", () => {
  const wide = [span("SendMessage", 0, 5_000)];
  const deep = [span("SendMessage", 0, 5_000)];
  for (let index = 1; index < 10_000; index++) {
    wide.push(span("chat", index / 2, 2, { parentId: wide[0]?.spanId ?? "" }));
    deep.push(span("chat", index / 2, 2, { parentId: deep.at(-1)?.spanId ?? "" }));
  }
  for (const spans of [wide, deep]) {
    expect(draw(spans).filter((line) => line.includes("chat "))).toHaveLength(10_000);
  }
});
