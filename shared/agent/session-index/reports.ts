// Reports of an agent's isolate to its SessionIndex: the latest state of each task, in batches, off the hot path.
import { IsolateBatch } from "../../tracing/isolate-batch.ts";
import { sessionIndexStub, type AgentEnv } from "../env.ts";
import type { IndexedTask } from "../rpc.ts";

const REPORT_MS = 1_000;
/** The index knows a task's state after this time, unless the process was killed. */
export const REPORTED_MS = 2 * REPORT_MS;

interface Report {
  readonly env: AgentEnv;
  readonly task: IndexedTask;
}

/** Of all Sessions of the isolate, which runs one agent. */
const reports = new IsolateBatch<Report>(REPORT_MS, async (waiting) => {
  const [first] = waiting;
  if (first) await sessionIndexStub(first.env).record(waiting.map(({ task }) => task));
});

/** Reports a task's latest state. A report that waits when the process is killed is repeated by the next one. */
export function reportTask(env: AgentEnv, task: IndexedTask, waitUntil: (work: Promise<unknown>) => void): void {
  reports.add(keyOf(task), { env, task }, waitUntil);
}

/** Whether the index does not have all reports yet, but will soon. */
export function isReportDue(): boolean {
  return reports.isUnderWay;
}

/** Sends all reports that the index may not have yet, so that a list right after a task's end shows it. */
export async function flushReports(): Promise<void> {
  await reports.flushAll();
}

function keyOf({ principal, contextId, n }: IndexedTask): string {
  return JSON.stringify([principal, contextId, n]);
}
