// What an agent's isolates tell its SessionIndex: the latest state of each task, in batches, off the hot path.
import { IsolateBatch } from "../../tracing/isolate-batch.ts";
import { reasonOf } from "../../text/reason.ts";
import { sessionIndexStub, type AgentEnv } from "../env.ts";
import { log } from "../log.ts";
import type { IndexedTask } from "../rpc.ts";

const REPORT_MS = 100;

interface Report {
  readonly env: AgentEnv;
  readonly task: IndexedTask;
}

/** Of all Sessions of the isolate, which are those of one agent. */
const reports = new IsolateBatch<Report>(REPORT_MS, async (waiting) => {
  const [first] = waiting;
  if (first) await sessionIndexStub(first.env).record(waiting.map(({ task }) => task));
});

/** Reports a task's latest state to the index. What a process has not sent when it is killed is lost. */
export function reportTask(env: AgentEnv, task: IndexedTask, waitUntil: (work: Promise<unknown>) => void): void {
  reports.add(keyOf(task), { env, task }, waitUntil);
}

/** Sends what waits, so that who lists right after a task ended finds it. */
export async function flushReports(): Promise<void> {
  await reports.flush();
}

/** Environments of isolates that have woken their sessions. */
const begun = new WeakSet<AgentEnv>();

/** Once in the life of an isolate: what its predecessor left goes on. Never throws; a failure is tried again with the next call. */
export async function wakeSessions(env: AgentEnv): Promise<void> {
  if (begun.has(env)) return;
  begun.add(env);
  try {
    await sessionIndexStub(env).wakeSessions();
  } catch (error) {
    begun.delete(env);
    log(env, "warn", `the sessions cannot be woken: ${reasonOf(error)}`);
  }
}

function keyOf({ principal, contextId, n }: IndexedTask): string {
  return JSON.stringify([principal, contextId, n]);
}
