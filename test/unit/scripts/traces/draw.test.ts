// What a person sees of a trace.
import { describe, expect, test } from "vitest";

import { KIND, STATUS } from "#shared/tracing/otlp.ts";

import { PLAIN_SCREEN, type Screen } from "../../../../scripts/terminal/screen.ts";
import { widthOf } from "../../../../scripts/terminal/terminal-text.ts";
import { drawTrace } from "../../../../scripts/traces/draw/draw.ts";
import type { Span, TraceSummary } from "../../../../scripts/traces/span.ts";
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

      0                                  1.00 s  SPAN                         AGENT          TOOK    IN/OUT     COST  FIRST
    ● ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒  SendMessage                  coordinator  1.00 s
    ● ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒  └ invoke_agent coordinator   coordinator  990 ms
    ● ████████                                     ├ chat claude              coordinator  190 ms  1.2k/150  $0.0059  20 ms
    ●         █▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒█                ├ coordinator → searcher   coordinator  500 ms
    ●          ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                 │ └ invoke_agent searcher  searcher     460 ms
    ●          ███████████████████                 │   └ chat claude          searcher     450 ms  1.2k/150  $0.0059
    ●                              ████████████    └ chat claude              coordinator  280 ms  1.2k/150  $0.0059

    Critical path (●): 1.00 s, of which model 920 ms (92 %), tools 10 ms (1 %), waiting for peers 20 ms (2 %), the agents'
    own work 50 ms (5 %).
    A question to a peer is one row. Every span: npx troupe traces show 4bf92f35 --full"
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
    const at = lines.indexOf("Spans whose parent has not arrived:");
    expect(at).toBeGreaterThan(lines.findIndex((line) => line.includes("SendMessage  ")));
    expect(lines[at + 1]).toContain("lost");
  });

  test("that calls a peer which never answered is named by whom it called", () => {
    const call = span("SendStreamingMessage", 0, 10);
    const details = new Map([[call.spanId, { peer: "searcher" }]]);
    const lines = drawTrace({ job: "research", summary: summary(), spans: [call], details }, WIDE, NOW_US);
    expect(lineOf(lines, "→")).toContain("coordinator → searcher");
  });
});

describe("a question to a peer", () => {
  /** The question with these three spans as they are said to be. */
  const asked = (...changes: readonly Partial<Span>[]): Span[] => {
    const spans = question();
    return spans.map((one, index) => ({ ...one, ...(index > 2 && index < 6 ? changes[index - 3] : {}) }));
  };
  const hops = (spans: readonly Span[], full = false): string[] =>
    drawTrace({ job: "research", summary: summary(), spans }, WIDE, NOW_US, full).filter((line) =>
      / (execute_tool query_agent|coordinator → searcher|SendStreamingMessage) /.test(line),
    );

  test("is one row for the tool, the call and the peer's span, as long as the tool took", () => {
    const rows = hops(asked());
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(/coordinator → searcher +coordinator +500 ms$/);
  });
  test("is three rows in the full view, and a line below the other says how to get it", () => {
    expect(hops(asked(), true)).toHaveLength(3);
    const hint = "Every span: npx troupe traces show 4bf92f35 --full";
    expect(draw(asked()).at(-1)).toContain(hint);
    expect(drawTrace({ job: "research", summary: summary(), spans: asked() }, WIDE, NOW_US, true).join()).not.toContain(
      hint,
    );
    expect(draw([span("SendMessage", 0, 10)]).join()).not.toContain("--full");
  });
  test("is one row while it runs, too", () => {
    expect(hops(asked({ durationUs: null }, { durationUs: null }, { durationUs: null }))).toHaveLength(1);
  });
  test("that failed is one row with one reason, where all three say the same", () => {
    const failed = { status: STATUS.error, message: "timeout" };
    const lines = draw(asked({ ...failed, message: "searcher: timeout" }, failed, failed));
    expect(lines.filter((line) => line.includes("timeout"))).toHaveLength(1);
    expect(lineOf(lines, "→")).toContain("✗ coordinator → searcher");
  });
  const error = { status: STATUS.error, message: "lost" };
  test.each([
    ["an error of its own", asked({}, error)],
    ["another error", asked({ status: STATUS.error, message: "timeout" }, {}, error)],
    ["an end that was made up", asked({}, {}, { provisional: true })],
    ["tokens", asked({}, { inputTokens: 5 })],
    ["that most of the time did not pass at the peer", asked({}, {}, { durationUs: 200_000 })],
    ["that the peer went on for long", asked({}, {}, { durationUs: 900_000 })],
    ["that the peer still works", asked({}, {}, { durationUs: null })],
  ])("keeps its rows where a span within has more to say: %s", (_, spans) => {
    expect(hops(spans)).toHaveLength(3);
  });
  test.each([3, 4])("keeps its rows where something else stands beside them (%d)", (above) => {
    const spans = asked();
    expect(hops([...spans, span("again", 212, 3, { parentId: spans[above]?.spanId ?? "" })])).toHaveLength(3);
  });
  test("keeps its rows where no tool asked", () => {
    expect(hops(asked({ operation: "" }))).toHaveLength(3);
  });
  test("is on the critical path with the time of all three", () => {
    expect(draw(asked()).find((line) => line.includes("→"))).toMatch(/^● +█+▒+█+ /);
  });
});

describe("what was asked", () => {
  const idOf = (spans: readonly Span[], fits: (one: Span) => boolean): string => spans.find(fits)?.spanId ?? "";
  const details = (spans: readonly Span[]) =>
    new Map([
      [idOf(spans, ({ operation }) => operation === "execute_tool"), { asked: "message: Where is it?" }],
      [
        idOf(spans, ({ name, kind }) => name.startsWith("SendStreaming") && kind === KIND.client),
        { peer: "searcher", asked: "“Where\u001b[2J is it?”" },
      ],
    ]);
  const drawn = (spans: readonly Span[], full: boolean, columns = 80): string[] =>
    drawTrace(
      { job: "j", summary: summary(), spans, details: details(spans) },
      { ...PLAIN_SCREEN, columns },
      NOW_US,
      full,
    );

  test.each([false, true])(
    "stands below the row of the peer, once and without control characters (full: %s)",
    (full) => {
      const lines = drawn(question(), full);
      const at = lines.findIndex((line) => line.includes("coordinator → searcher"));
      expect(lines[at + 1]?.trim()).toMatch(/^[│ ]*“Where \[2J is it\?”$/);
      expect(lines.filter((line) => line.includes("Where"))).toHaveLength(1);
    },
  );
  test("stands below a tool", () => {
    const tool = span("execute_tool add", 0, 10, { operation: "execute_tool" });
    const asked = new Map([[tool.spanId, { asked: "a: 1, b: 2" }]]);
    const lines = drawTrace({ job: "j", summary: summary(), spans: [tool], details: asked }, WIDE, NOW_US);
    expect(lines[lines.findIndex((line) => line.includes("execute_tool add")) + 1]?.trim()).toBe("a: 1, b: 2");
  });
  test.each([40, 80, 300])("never leaves a screen of %d, however deep it stands", (columns) => {
    const deep = [span("SendMessage", 0, 1_000)];
    for (let depth = 1; depth < 30; depth++)
      deep.push(span(`deep ${depth}`, depth, 900, { parentId: deep.at(-1)?.spanId ?? "" }));
    const below = question().map((one) =>
      one.parentId === "" ? { ...one, parentId: deep.at(-1)?.spanId ?? "" } : one,
    );
    const lines = drawn([...deep, ...below], true, columns);
    expect(lines.join()).toContain("“Whe");
    for (const line of lines) expect(widthOf(line)).toBeLessThan(columns);
  });
});

describe("an id", () => {
  const ids = (...spanIds: string[]) =>
    draw(spanIds.map((spanId, index) => span(`chat ${index}`, index, 1, { spanId }))).join("\n");

  test("is shown by as many digits as tell it from the others, at least the four that --span takes", () => {
    expect(ids("1a2b000000000000", "1a2c000000000000")).toMatch(/chat 0 +1a2b  coordinator/);
    expect(ids("1a2b300000000000", "1a2b400000000000")).toMatch(/chat 0 +1a2b3  coordinator/);
  });
  test.each([1, 2])("that needs more than eight, or is alone, is left to the full view (%d)", (count) => {
    const spans = Array.from({ length: count }, (_, index) => span(`chat ${index}`, 0, 1));
    expect(draw(spans).join()).not.toContain("  ID  ");
    const full = drawTrace({ job: "j", summary: summary(), spans }, WIDE, NOW_US, true).join();
    expect(full).toContain(spans[0]?.spanId ?? "");
  });
});

describe("names", () => {
  test.each([50, 80])("of three agents deep are whole in %d columns", (columns) => {
    const spans: Span[] = [];
    const add = (name: string, agent: string, more: Partial<Span> = {}): void => {
      const [depth, parentId] = [spans.length, spans.at(-1)?.spanId ?? ""];
      spans.push(span(name, depth, 1_000 - 2 * depth, { agent, parentId, ...more }));
    };
    add("SendMessage", "coordinator", { kind: KIND.server });
    for (const [asking, agent] of [
      ["", "coordinator"],
      ["coordinator", "summarizer"],
      ["summarizer", "searcher"],
    ] as const) {
      if (asking !== "") {
        add("execute_tool query_agent", asking, { operation: "execute_tool" });
        add("SendStreamingMessage", asking, { kind: KIND.client });
        add("SendStreamingMessage", agent, { kind: KIND.server });
      }
      add(`invoke_agent ${agent}`, agent, { operation: "invoke_agent", inputTokens: 1_200 });
    }
    add("execute_tool web_search", "searcher", { operation: "execute_tool" });
    const text = draw(spans, { ...PLAIN_SCREEN, columns }).join("\n");
    for (const name of [
      "coordinator → summarizer",
      "summarizer → searcher",
      "invoke_agent searcher",
      "execute_tool web_search",
    ]) {
      expect(text).toContain(name);
    }
  });
  test("that are too long lose their middle", () => {
    const text = draw([span("execute_tool mcp__archive_of_the_house__search_documents", 0, 1)], PLAIN_SCREEN).join(
      "\n",
    );
    expect(text).toMatch(/execute_tool? ?[a-z_]*…[a-z_]+search_documents /);
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
    "A trace whose root has not arrived",
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
