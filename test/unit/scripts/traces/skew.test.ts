// Clocks that differ: which spans are moved, by how much, and what is said of them.
import { describe, expect, test } from "vitest";

import { clockNotes } from "../../../../scripts/traces/draw/headline.ts";
import type { Span } from "../../../../scripts/traces/span.ts";
import { onOneClock } from "../../../../scripts/traces/skew.ts";
import { traceRows } from "../../../../scripts/traces/draw/trace-rows.ts";
import { span, START_US, summary } from "./made-up.ts";

const MIN = 60_000;
const AHEAD = 40 * MIN;
const NOW_MS = 10 * MIN;

/** Each span as `name from-to` in milliseconds, as it is drawn; and what is said. */
function drawn(spans: readonly Span[], nowMs = NOW_MS) {
  const { spans: moved, skews } = onOneClock(spans, summary(), START_US + nowMs * 1_000);
  const ms = (us: number): number => (us - START_US) / 1_000;
  const times = moved.map(
    ({ name, startUs, durationUs }) => `${name} ${ms(startUs)}-${durationUs === null ? "" : ms(startUs + durationUs)}`,
  );
  return { times, notes: clockNotes(skews) };
}

/** Spans below each other, each the child of the one before. */
function chain(...links: readonly (readonly [agent: string, startMs: number, durationMs: number | null])[]): Span[] {
  const spans: Span[] = [];
  for (const [agent, start, took] of links) {
    spans.push(span(agent, start, took, { agent, parentId: spans.at(-1)?.spanId ?? "" }));
  }
  return spans;
}

describe("a child on another clock is drawn from its parent's beginning", () => {
  test.each([
    ["ahead", AHEAD, "40 min ahead of"],
    ["ahead by seconds", 2_000, "2.00 s ahead of"],
    ["behind", -AHEAD, "40 min behind"],
    ["behind by little", -9, "9.0 ms behind"],
    ["behind by weeks", -29 * 24 * 60 * MIN, "29 d behind"],
  ])("that is %s, also where both have one name", (_, offset, size) => {
    const { times, notes } = drawn(chain(["shop", 0, 20], ["shop", offset, 5]));
    expect(times).toEqual(["shop 0-20", "shop 0-5"]);
    expect(notes).toEqual([`The clock of shop is ${size} its caller's: its spans are drawn shifted.`]);
  });

  test("with all that is below it, as it lay", () => {
    const { times, notes } = drawn(chain(["a", 0, 100], ["b", AHEAD + 10, 80], ["b", AHEAD + 20, 10]));
    expect(times).toEqual(["a 0-100", "b 0-80", "b 10-20"]);
    expect(notes).toHaveLength(1);
  });

  test("with what another agent on its clock did for it, as it lay", () => {
    const { times, notes } = drawn(chain(["a", 0, 100], ["b", AHEAD + 10, 80], ["c", AHEAD + 20, 10]));
    expect(times).toEqual(["a 0-100", "b 0-80", "c 10-20"]);
    expect(notes).toEqual(["The clock of b is 40 min ahead of its caller's: its spans are drawn shifted."]);
  });

  test("and what that calls on the first clock stays where it is", () => {
    const { times, notes } = drawn(chain(["a", 0, 100], ["b", AHEAD + 10, 80], ["c", 30, 10]));
    expect(times).toEqual(["a 0-100", "b 0-80", "c 30-40"]);
    expect(notes).toEqual(["The clock of b is 40 min ahead of its caller's: its spans are drawn shifted."]);
  });

  test("and so is another clock within it", () => {
    const { times, notes } = drawn(chain(["a", 0, 100], ["b", AHEAD, 80], ["c", AHEAD - 7 * MIN, 10]));
    expect(times).toEqual(["a 0-100", "b 0-80", "c 0-10"]);
    expect(notes).toEqual([
      "The clock of b is 40 min ahead of its caller's: its spans are drawn shifted.",
      "The clock of c is 7 min behind its caller's: its spans are drawn shifted.",
    ]);
  });

  test("while it is open too, and then it lasts until now", () => {
    const { times } = drawn(chain(["a", 0, null], ["b", AHEAD, null]), 500);
    expect(times).toEqual(["a 0-", "b 0-"]);
  });
});

describe("spans below one parent", () => {
  const root = span("root", 0, 1_000);
  const below = (agent: string, start: number, took: number, more: Partial<Span> = {}) =>
    span(agent, start, took, { agent, parentId: root.spanId, ...more });

  test("of one agent keep their distances: they have one clock", () => {
    const { times } = drawn([root, below("a", AHEAD, 10), below("a", AHEAD + 300, 10), below("a", AHEAD + 600, 10)]);
    expect(times).toEqual(["root 0-1000", "a 0-10", "a 300-310", "a 600-610"]);
  });

  test("of many agents on clocks that are off alike are told in one sentence", () => {
    const agents = ["a", "b", "c", "d", "e"].map((agent) => below(agent, AHEAD + 20, 10));
    expect(drawn([root, ...agents.slice(0, 2)]).notes).toEqual([
      "The clocks of a and b are 40 min ahead of their callers': their spans are drawn shifted.",
    ]);
    expect(drawn([root, ...agents]).notes.join()).toContain("The clocks of a, b, c and 2 more are");
  });

  test("of one agent are told once, if its clock is off by about the same, and a few times at most", () => {
    const calls = (step: number): Span[] =>
      Array.from({ length: 50 }, (_, index) => span("call", index * 10, 10, { parentId: root.spanId })).flatMap(
        (call, index) => [call, span("x", 2_000 + index * step, 1, { agent: "x", parentId: call.spanId })],
      );
    expect(drawn([root, ...calls(7)]).notes).toHaveLength(1);
    expect(onOneClock([root, ...calls(MIN)], summary(), START_US).skews).toHaveLength(8);
  });

  test("on many clocks are told in a few sentences", () => {
    const agents = Array.from({ length: 500 }, (_, index) => below(`agent ${index}`, (index + 2) * MIN * 3, 1));
    const { notes } = drawn([root, ...agents]);
    expect([notes.length, notes.at(-1)]).toEqual([5, "Other clocks differ too, by other times."]);
  });

  test("of an agent that has no name, or one that moves the cursor, are told all the same", () => {
    expect(drawn([root, below("", AHEAD, 1)]).notes.join()).toContain("The clock of an agent without a name is");
    expect(drawn([root, below("a\u001b[2J", AHEAD, 1)]).notes.join()).not.toContain("\u001b");
  });
});

describe("stays as it is", () => {
  /** How many spans are moved. */
  const moved = (spans: readonly Span[]): number => onOneClock(spans, summary(), START_US + NOW_MS * 1_000).shifts.size;

  test("a child that begins within its parent, or a little outside", () => {
    expect(moved(chain(["a", 0, 20], ["b", 19, 500]))).toBe(0);
    expect(moved(chain(["a", 0, 20], ["b", -5, 5]))).toBe(0);
    expect(moved(chain(["a", 0, 20], ["b", 119, 5]))).toBe(0);
    expect(moved(chain(["a", 0, 1_000], ["b", 1_900, 5]))).toBe(0);
  });
  test("a child of what is open, or whose end was made up, up to now", () => {
    expect(moved(chain(["a", 0, null], ["b", 9 * MIN, 5]))).toBe(0);
    const [parent, child] = chain(["a", 0, 20], ["b", 9 * MIN, 5]);
    if (parent === undefined || child === undefined) throw new Error("There are two");
    expect(moved([{ ...parent, provisional: true }, child])).toBe(0);
    expect(moved(chain(["a", AHEAD, null], ["a", AHEAD + 5 * MIN, 5]))).toBe(0);
  });
  test("a child of what took no time, for a while", () => {
    expect(moved(chain(["a", 0, 0], ["b", 30_000, 5]))).toBe(0);
    expect(drawn(chain(["a", 0, 0], ["b", AHEAD, 5])).times).toEqual(["a 0-0", "b 0-5"]);
  });
  test("what waited in a queue, unless it left the queue before it came there", () => {
    const queued = (startMs: number): Span[] => {
      const sent = span("send", 0, 5, { kind: 4 });
      return [sent, span("process", startMs, 5, { kind: 5, parentId: sent.spanId })];
    };
    expect(moved(queued(AHEAD))).toBe(0);
    expect(drawn(queued(-AHEAD)).times).toEqual(["send 0-5", "process 0-5"]);
  });
  test("a second question of a caller that began the trace elsewhere", () => {
    const asked = { name: "SendMessage", parentId: "00f067aa0ba902b7" };
    expect(moved([span("SendMessage", 0, 20, asked), span("SendMessage", AHEAD, 20, asked)])).toBe(0);
  });
});

test("spans whose parent never came are measured by the root, and what is below them by them", () => {
  const lost = span("lost", AHEAD, 10, { agent: "b", parentId: "00f067aa0ba902b7" });
  const below = span("below", AHEAD + 2, 5, { agent: "b", parentId: lost.spanId });
  expect(drawn([span("root", 0, 20), lost, below])).toEqual({
    times: ["root 0-20", "lost 0-10", "below 2-7"],
    notes: ["The clock of b is 40 min ahead of its caller's: its spans are drawn shifted."],
  });
});

test("a root on another clock has its callees moved to it, and each is said to be behind", () => {
  const { times, notes } = drawn(chain(["front", AHEAD, 100], ["b", 10, 50], ["b", 20, 10]), AHEAD / MIN);
  expect(times).toEqual([`front ${AHEAD}-${AHEAD + 100}`, `b ${AHEAD}-${AHEAD + 50}`, `b ${AHEAD + 10}-${AHEAD + 20}`]);
  expect(notes).toEqual(["The clock of b is 40 min behind its caller's: its spans are drawn shifted."]);
});

test("a circle of parents, and a chain of ten thousand clocks, come to an end", () => {
  const ring = [span("x", 0, 1, { spanId: "x", parentId: "y" }), span("y", AHEAD, 1, { spanId: "y", parentId: "x" })];
  expect(drawn(ring).times).toHaveLength(2);
  const links = Array.from({ length: 10_000 }, (_, index) => [`agent ${index}`, -index * MIN, 5] as const);
  expect(drawn(chain(...links)).times.at(-1)).toBe("agent 9999 0-5");
});

test("the JSON of a trace has the times that were sent, what they are drawn shifted by, and the path as it is drawn", () => {
  const spans = chain(["shop", 0, 20], ["shop", AHEAD, 5]);
  const rows = traceRows({ job: "j", summary: summary(), spans }, START_US + NOW_MS * 1_000).spans;
  expect(rows.map(({ startUs, shiftUs, criticalUs }) => [startUs - START_US, shiftUs, criticalUs])).toEqual([
    [0, 0, 15_000],
    [AHEAD * 1_000, -AHEAD * 1_000, 5_000],
  ]);
});
