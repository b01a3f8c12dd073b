// The trace of each query after the kills: one trace id, one root, every span closed and below its
// parent. Nothing is excused: what a kill took with it, a later life has to tell.
import { setTimeout as delay } from "node:timers/promises";

import { problemsOf } from "../../support/trace-rules.ts";
import type { CrashJob } from "./job.ts";

export interface TraceCheck {
  readonly traces: number;
  readonly faults: readonly string[];
}

const SETTLE_MS = 8_000;

export async function checkTraces(job: CrashJob): Promise<TraceCheck> {
  const store = await job.deployment.traces(job.name);
  const deadline = Date.now() + SETTLE_MS;
  const faults: string[] = [];
  const listed = await store.list();
  for (const { traceId } of listed) {
    for (;;) {
      const problems = problemsOf(await store.spans(traceId));
      if (problems.length > 0 && Date.now() < deadline) {
        await delay(100);
        continue;
      }
      faults.push(...problems.map((problem) => `trace ${traceId}: ${problem}`));
      break;
    }
  }
  return { traces: listed.length, faults };
}
