// Time under a clock that may be set: a jump forward costs a tick, one back nothing.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Stopwatch, TICK_MS, timeLimit } from "#shared/resilience/stopwatch.ts";
import { SettableClock } from "../../support/settable-clock.ts";

const HOUR_MS = 3_600_000;

let clock: SettableClock;
beforeEach(() => {
  clock = new SettableClock();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it.each([20, TICK_MS, 12_345, 300_000])("a limit of %i ms is reached once, then and not before", async (limitMs) => {
  const reached = vi.fn<() => void>();
  Stopwatch.start(limitMs, reached);
  await clock.pass(limitMs - 1);
  expect(reached).not.toHaveBeenCalled();
  await clock.pass(1);
  await clock.pass(HOUR_MS);
  expect([reached.mock.calls.length, clock.waiting]).toEqual([1, 0]);
});

it.each([0, -1, Number.NEGATIVE_INFINITY])("a limit of %d is reached at once", async (limitMs) => {
  const reached = vi.fn<() => void>();
  Stopwatch.start(limitMs, reached);
  await clock.pass(0);
  expect(reached).toHaveBeenCalledOnce();
});

it("a clock that is set forward by an hour brings a limit nearer by one tick at most", async () => {
  const reached = vi.fn<() => void>();
  Stopwatch.start(60_000, reached);
  await clock.pass(2_000);
  await clock.set(HOUR_MS);
  await clock.pass(60_000 - TICK_MS - 1);
  expect(reached).not.toHaveBeenCalled();
  await clock.pass(1);
  expect(reached).toHaveBeenCalledOnce();
});

it("what has passed is exact to the millisecond, over many ticks", async () => {
  const time = Stopwatch.start();
  for (const ms of [1, 2_000, 3 * TICK_MS, 777]) await clock.pass(ms);
  expect(time.ms).toBe(1 + 2_000 + 3 * TICK_MS + 777);
});

it("a clock that is set forward adds one tick at most to what has passed", async () => {
  const time = Stopwatch.start();
  await clock.pass(1_000);
  await clock.set(HOUR_MS);
  expect(time.ms).toBe(TICK_MS);
  await clock.pass(1_000);
  expect(time.ms).toBe(TICK_MS + 1_000);
});

it("a clock that is put back takes nothing away from what has passed, and time goes on from there", async () => {
  const time = Stopwatch.start();
  await clock.pass(1_000);
  expect(time.ms).toBe(1_000);
  await clock.set(-HOUR_MS);
  expect(time.ms).toBe(1_000);
  await clock.pass(500);
  expect(time.ms).toBe(1_500);
});

it("one that was stopped reaches no limit, and wakes nobody", async () => {
  const reached = vi.fn<() => void>();
  const time = Stopwatch.start(60_000, reached);
  await clock.pass(7_000);
  time.stop();
  expect(clock.waiting).toBe(0);
  await clock.pass(HOUR_MS);
  expect(reached).not.toHaveBeenCalled();
});

it("a signal with a limit outlasts such a jump, and aborts with a TimeoutError when its time is up", async () => {
  const signal = timeLimit(10_000);
  await clock.set(HOUR_MS);
  expect(signal.aborted).toBe(false);
  await clock.pass(10_000 - TICK_MS);
  expect([signal.aborted, signal.reason]).toMatchObject([true, { name: "TimeoutError" }]);
});
