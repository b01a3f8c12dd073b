// Waiting for health keeps to its time.
import { expect, test } from "vitest";

import { waitUntilHealthy } from "../../../../../../scripts/targets/local/processes/health.ts";
import { serve } from "../../../../../support/serve.ts";

const NEVER = new AbortController().signal;
const WAIT = { timeoutMs: 5_000, intervalMs: 10, lookMs: 5_000, ended: NEVER, signal: NEVER };

test("a server that is well is healthy, but not after the time is over", async () => {
  const url = await serve((_, response) => response.end());
  expect(await waitUntilHealthy(url, WAIT)).toBe("healthy");
  expect(await waitUntilHealthy(url, { ...WAIT, timeoutMs: 0 })).toBe("late");
});

test("a server that hangs is late when the time is over, however long one look may take", async () => {
  const url = await serve(() => {});
  const begun = Date.now();
  expect(await waitUntilHealthy(url, { ...WAIT, timeoutMs: 100 })).toBe("late");
  expect(Date.now() - begun).toBeLessThan(WAIT.lookMs / 2);
});

test("a process that has ended is not waited for", async () => {
  const url = await serve(() => {});
  expect(await waitUntilHealthy(url, { ...WAIT, ended: AbortSignal.abort() })).toBe("ended");
});
