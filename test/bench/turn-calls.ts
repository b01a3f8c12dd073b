// What one turn of each subject asks of the disk.
import { setTimeout as delay } from "node:timers/promises";
import { measure } from "./closed-loop.ts";
import { callsOfOne, DiskTrace, EVICTED_MS, noteEvictions, type DiskCalls } from "./disk-calls.ts";
import { fixed, table } from "./table.ts";
import { openSessions } from "./turn-sessions.ts";
import type { Subject } from "./turn-subjects.ts";

export interface TurnCalls {
  readonly untilAnswer: DiskCalls;
  /** Of new sessions, once their objects have been evicted. */
  readonly withEviction?: DiskCalls;
}

/** Short enough that no object is evicted before the last answer, and so few in flight that no turn takes long under strace. */
const LOAD = { inFlight: 8, requests: 256, limitMs: 4_000 };

/** By the subject's name; of none where strace cannot tell. */
export async function traceCalls(subjects: readonly Subject[]): Promise<Map<string, TurnCalls>> {
  const all = new Map<string, TurnCalls>();
  for (const subject of subjects) {
    await using trace = await DiskTrace.attach(subject.pid);
    if (trace === undefined) return all;
    const next = await openSessions(subject, LOAD);
    const before = await trace.calls();
    const measured = await measure({ ...LOAD, next });
    const untilAnswer = callsOfOne(before, await trace.calls(), measured.requests);
    noteEvictions(subject.name, measured);
    all.set(subject.name, { untilAnswer });
    if (subject.sessions !== "new") continue;
    await delay(EVICTED_MS);
    all.set(subject.name, { untilAnswer, withEviction: callsOfOne(before, await trace.calls(), measured.requests) });
  }
  return all;
}

export function callsTable(calls: ReadonlyMap<string, TurnCalls>): string {
  const head = [`one turn, ${LOAD.inFlight} in flight`, "fsyncs", "with eviction", "pwrite64", "KB written"];
  const rows = [...calls].map(([name, { untilAnswer, withEviction }]) => [
    name,
    fixed(untilAnswer.syncs),
    fixed(withEviction?.syncs),
    fixed(untilAnswer.writes, 1),
    fixed(untilAnswer.writtenBytes / 1024, 1),
  ]);
  return table(head, rows);
}
