// What the tests of the trace store begin with: a clock that stands at START, and a job and a trace of their own.
import { afterEach, beforeEach, vi } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import { START } from "./spans.ts";

/** Of the test that runs. */
export let job = "";
export let traceId = "";

/** To be called once in a file: each of its tests has a job and a trace of its own, and begins at START. */
export function ownJob(): void {
  atStart();
  beforeEach(({ task }) => {
    job = `job-${task.id.replaceAll(/[^a-z0-9]/g, "-")}`;
    traceId = randomHex(16);
  });
}

/** To be called once in a file: each of its tests begins at START. */
export function atStart(): void {
  beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}
