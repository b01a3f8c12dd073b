// Silence is what a connection does not say, not what a clock says that is set meanwhile.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { IdleWatch } from "#shared/resilience/idle-watch.ts";
import { SettableClock } from "../../support/settable-clock.ts";

const LIMIT_MS = 60_000;

let clock: SettableClock;
const abort = vi.fn<() => void>();
beforeEach(() => {
  clock = new SettableClock();
  abort.mockReset();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it.each([40, 10_000, LIMIT_MS])(
  "a connection is given up after %i ms of silence, or half as much again",
  async (limitMs) => {
    const watch = new IdleWatch(limitMs, abort);
    await clock.pass(limitMs * 0.3);
    watch.heard();
    await clock.pass(limitMs - 1);
    expect(watch.stalled).toBe(false);
    await clock.pass(limitMs / 2 + 1);
    expect([watch.stalled, abort.mock.calls.length > 0]).toEqual([true, true]);
    watch.stop();
  },
);

it("a clock that is set forward by an hour while the model thinks is no silence", async () => {
  const watch = new IdleWatch(LIMIT_MS, abort);
  await clock.pass(29_000);
  watch.heard();
  await clock.pass(1_500);
  await clock.set(3_600_000);
  await clock.pass(50_000);
  expect(watch.stalled).toBe(false);
  watch.heard();
  await clock.pass(LIMIT_MS - 1);
  expect(watch.stalled).toBe(false);
  watch.stop();
});

it("while the client waits before it asks again, silence is no trouble", async () => {
  const watch = new IdleWatch(LIMIT_MS, abort);
  watch.heard();
  await clock.pass(50_000);
  watch.pause();
  await clock.pass(10 * LIMIT_MS);
  expect(watch.stalled).toBe(false);
  watch.stop();
  expect(clock.waiting).toBe(0);
});
