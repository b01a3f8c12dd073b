// The questions that a job works on, from its traces.
import { deployedTarget } from "../../targets/choose-target.ts";
import type { JobStatus } from "../../targets/target.ts";
import type { Io } from "../../terminal/io.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { elapsed } from "../../traces/amounts.ts";
import type { TraceSummary } from "../../traces/span.ts";

const MOST = 20;

/** Open traces of questions, newest first; none where they cannot be read. Starts no control plane. */
export async function runningQuestions({ job, controlPlane }: JobStatus, io: Io): Promise<readonly TraceSummary[]> {
  if (controlPlane === null) return [];
  try {
    const target = await deployedTarget();
    const quiet = { ...io, note: () => {} };
    return await target.withTraces([job], quiet, async ([store]) => {
      return (await store?.list({ kind: "query", status: "open" }, MOST)) ?? [];
    });
  } catch {
    io.signal.throwIfAborted();
    return [];
  }
}

/** A row for each; `nowMs` since the epoch. */
export function questionRows(questions: readonly TraceSummary[], nowMs: number): string[] {
  if (questions.length === 0) return ["No question is being answered."];
  return [
    "Questions being answered:",
    ...questions.map(({ startUs, agents, text }) => {
      const age = elapsed(nowMs * 1_000 - startUs);
      return `  for ${age}  ${agents.map(oneLine).join(", ")}  “${oneLine(text)}”`;
    }),
  ];
}
