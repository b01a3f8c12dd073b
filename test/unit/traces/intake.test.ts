// When batches of spans are stored: alone at once, those of several agents together, and each answered for itself.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { spanRecord } from "../../support/span-record.ts";
import { Intake } from "../../../workers/control-plane/traces/rows/intake.ts";
import type { SpanBatch } from "../../../workers/control-plane/traces/otlp/span-record.ts";

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2100, 0, 1) }));
afterEach(() => void vi.useRealTimers());

const NO_SPAN = spanRecord({ traceId: "", spanId: "", bytes: 0 });

function batch(agent: string, count = 1, bytes = 10): SpanBatch {
  const sources = [{ resource: "{}", scope: "{}", agent, instance: "one" }];
  return { sources, spans: Array.from({ length: count }, () => ({ ...NO_SPAN, bytes })) };
}

/** An intake, and the agents of each commit. A batch of the agent "bad" makes its commit fail. */
function intake() {
  const commits: string[][] = [];
  const taken = new Intake(async (batches) => {
    const agents = batches.map(({ sources }) => sources[0]?.agent ?? "");
    if (agents.includes("bad")) throw new Error("It cannot be stored.");
    commits.push(agents);
    return agents.map((agent) => `stored ${agent}`);
  });
  return { taken, commits };
}

test("a sender that waits for its answers never waits for others", async () => {
  const { taken, commits } = intake();
  for (let n = 0; n < 3; n++) expect(await taken.add(batch("a"))).toBe("stored a");
  expect(commits).toEqual([["a"], ["a"], ["a"]]);
});

test("what several agents send within a quarter of a second is stored together, in its order", async () => {
  const { taken, commits } = intake();
  await taken.add(batch("a"));
  const answers = Promise.all(["b", "a", "c"].map(async (agent) => taken.add(batch(agent))));
  await vi.advanceTimersByTimeAsync(249);
  expect(commits).toEqual([["a"]]);
  await vi.advanceTimersByTimeAsync(1);
  expect(await answers).toEqual(["stored b", "stored a", "stored c"]);
  expect(commits).toEqual([["a"], ["b", "a", "c"]]);
});

test("after a pause nothing waits", async () => {
  const { taken, commits } = intake();
  await taken.add(batch("a"));
  await vi.advanceTimersByTimeAsync(250);
  await taken.add(batch("b"));
  expect(commits).toEqual([["a"], ["b"]]);
});

test("a clock that goes back makes nobody wait longer", async () => {
  const { taken, commits } = intake();
  await taken.add(batch("a"));
  vi.setSystemTime(Date.UTC(2099, 0, 1));
  void taken.add(batch("b"));
  await vi.advanceTimersByTimeAsync(250);
  expect(commits).toEqual([["a"], ["b"]]);
});

test.for([
  ["many spans", 250, 1],
  ["long ones", 1, 2_000_000],
] as const)("with %s the batches wait no longer", async ([, count, bytes]) => {
  const { taken, commits } = intake();
  await taken.add(batch("a"));
  const waiting = taken.add(batch("b"));
  expect(await taken.add(batch("c", count, bytes))).toBe("stored c");
  expect(await waiting).toBe("stored b");
  expect(commits).toEqual([["a"], ["b", "c"]]);
});

test("what waits can be stored now, and is stored once", async () => {
  const { taken, commits } = intake();
  await taken.add(batch("a"));
  const waiting = taken.add(batch("b"));
  await taken.flush();
  expect(await waiting).toBe("stored b");
  await vi.advanceTimersByTimeAsync(1000);
  await taken.flush();
  expect(commits).toEqual([["a"], ["b"]]);
});

test("a batch that cannot be stored fails alone", async () => {
  const { taken, commits } = intake();
  await taken.add(batch("a"));
  const answers = Promise.allSettled(["b", "bad", "c"].map(async (agent) => taken.add(batch(agent))));
  await vi.advanceTimersByTimeAsync(250);
  expect(await answers).toMatchObject([{ value: "stored b" }, { reason: expect.any(Error) }, { value: "stored c" }]);
  expect(commits).toEqual([["a"], ["b"], ["c"]]);
  await expect(intake().taken.add(batch("bad"))).rejects.toThrow("cannot be stored");
});
